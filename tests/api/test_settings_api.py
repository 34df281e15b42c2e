"""The settings as administrators read them: true values, true origins, and no secret."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.settings import is_secret, plain, shown
from cluster.settings import KEYS_VARIABLE, Settings, load_settings
from tests.api.world import World, answering, build

FILE = """
scan: {batch_size: 8, analyse_workers: 3}
ray: {dashboard: "http://someone:hunter2-and-more@10.0.0.7:8265"}
services:
  ocr: {kind: ocr, checkpoint: rapidocr, revision: "3.10", options: {min_score: 0.8}}
  llm: null
"""


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a file, with variables over it."""
    file = tmp_path / "chosen.yaml"
    file.write_text(FILE)
    monkeypatch.setenv("BRIGHTROOM_ROOT", str(tmp_path / "data"))
    monkeypatch.setenv("BRIGHTROOM_SCAN__BATCH_SIZE", "7")
    monkeypatch.setenv("BRIGHTROOM_NEXTCLOUD", '{"downloads": 2}')
    monkeypatch.setenv("BRIGHTROOM_SERVICES__OCR__OPTIONS__MIN_LETTERS", "3")
    monkeypatch.setenv(KEYS_VARIABLE, "a-key-that-nobody-may-see")
    return load_settings(file)


def asked(made: World) -> dict[str, Any]:
    """The answer to an administrator, its settings by key."""
    told = made.as_user("root").get("/api/server/settings").json()
    return {"file": told["file"], **{one["key"]: one for one in told["settings"]}}


def test_each_setting_tells_who_gave_it(tmp_path: Path, read: Settings):
    """A variable of its own, one of its branch, the file, or nobody; a variable goes over the file."""
    made = build(tmp_path / "world")
    made.user("root", admin=True)
    made.deps = replace(made.deps, settings=read.model_copy(update={"api": made.settings.api}))
    with answering(made):
        told = asked(made)

    file = str(tmp_path / "chosen.yaml")
    givers = {
        "root": ("variable", "BRIGHTROOM_ROOT"),
        "scan.batch_size": ("variable", "BRIGHTROOM_SCAN__BATCH_SIZE"),
        "scan.analyse_workers": ("file", file),
        "scan.turn_s": ("default", ""),
        "nextcloud.downloads": ("variable", "BRIGHTROOM_NEXTCLOUD"),
        "nextcloud.plain_http": ("default", ""),
        "services.ocr.kind": ("file", file),
        "services.ocr.batch_size": ("default", ""),
        "services.ocr.options.min_score": ("file", file),
        "services.ocr.options.min_letters": ("variable", "BRIGHTROOM_SERVICES__OCR__OPTIONS__MIN_LETTERS"),
        "services.llm": ("file", file),
    }
    assert told["file"] == file
    assert {key: (told[key]["source"], told[key]["giver"]) for key in givers} == givers
    batch = told["scan.batch_size"]
    assert (batch["value"], batch["default"], batch["section"]) == (7, 16, "scan")
    assert (
        batch["description"] == Settings.model_fields["scan"].default.__class__.model_fields["batch_size"].description
    )
    assert told["services.ocr.options.min_letters"]["section"] == "services.ocr"


def test_no_secret_is_told(tmp_path: Path, read: Settings):
    """Neither a password in an address nor what a secret variable holds: only that it is set."""
    made = build(tmp_path / "world")
    made.user("root", admin=True)
    made.deps = replace(made.deps, settings=read.model_copy(update={"api": made.settings.api}))
    with answering(made):
        text, told = made.as_user("root").get("/api/server/settings").text, asked(made)
        page = made.as_user("root").get("/admin/settings").text

    for secret in ("a-key-that-nobody-may-see", "hunter2"):
        assert secret not in text
        assert secret not in page
    assert "10.0.0.7:8265" in told["ray.dashboard"]["value"]
    assert (told[KEYS_VARIABLE]["value"], told[KEYS_VARIABLE]["secret"]) == ("set", True)


def test_what_a_program_gave_is_told_as_that(world: World):
    """Settings that nobody read have values of whoever made them; other ones are defaults."""
    told = asked(world)

    assert told["file"] == ""
    assert told["api.page_size"]["source"] == "program"
    assert told["scan.batch_size"]["source"] == "default"


@pytest.mark.parametrize(
    ("key", "value", "secret"),
    [
        ("nextcloud.password", "x", True),
        ("ray.token", None, True),
        ("services.llm.options.max_new_tokens", 30, False),
        ("api.access_key", "x", True),
        ("scan.skip", ["x"], False),
        ("nextcloud.key_file", "/a/path", False),
    ],
)
def test_a_secret_is_known_by_its_name(key: str, value: Any, secret: bool):
    """A count of tokens is none."""
    assert is_secret(key, value) is secret


def test_secrets_are_told_as_set_or_not():
    """And texts within lists are looked through as well."""
    assert (shown("x", True), shown(None, True), shown("", True)) == ("set", None, None)
    assert "hunter2" not in str(plain(["http://a:hunter2@b"]))
