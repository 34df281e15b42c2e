"""The commands that run Library actions, as a person types them, beside a Brightroom that runs."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import skimage.data
from PIL import Image

from cluster.store.database import open_library
from tests.api.operating import PASSWORD, Operated

BRIGHTROOM = Path(sys.executable).with_name("brightroom")
NAMES = ("chelsea", "coffee", "rocket")
Command = Callable[..., Any]


@pytest.fixture(scope="module")
def operated(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """A Brightroom with few services, that is not up yet."""
    kinds = {"image_similarity": "similarity", "thumbnail": "thumbnail", "exif": "exif"}
    services: dict[str, Any] = {name: {"kind": kind, "cpus": 0} for name, kind in kinds.items()}
    services["image_captioning"] = {"kind": "template", "checkpoint": "template", "revision": "1"}
    operated = Operated(tmp_path_factory.mktemp("commands"), weights, {"services": services})
    yield operated
    operated.down()


@pytest.fixture(scope="module")
def run(operated: Operated) -> Command:
    """Runs a command; its output, parsed where JSON was asked for."""
    environment = {**operated.environment, "NO_COLOR": "1", "COLUMNS": "160"}

    def brightroom(*words: str, typed: str = "", status: int = 0) -> Any:
        command = [str(BRIGHTROOM), "--config", str(operated.config), *words]
        ended = subprocess.run(command, env=environment, input=typed, capture_output=True, text=True, timeout=200)
        assert ended.returncode == status, ended.stderr
        return json.loads(ended.stdout) if "--json" in words else ended.stdout + ended.stderr

    return brightroom


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, run: Command) -> dict[str, Path]:
    """Two users' folders of three photos each."""
    found = {name: tmp_path_factory.mktemp("photos") / name for name in ("ann", "ben")}
    for name, folder in found.items():
        folder.mkdir()
        for number, picture in enumerate(NAMES):
            image = Image.fromarray(getattr(skimage.data, picture)())
            image.save(folder / f"{picture}_2024071{number}_120000.jpg", quality=90 if name == "ann" else 80)
        run("createuser", "--directory", str(folder), typed=f"{name}\n{PASSWORD}\n")
    return found


@pytest.fixture(scope="module")
def running(operated: Operated, folders: dict[str, Path]) -> Operated:
    """It is up, and the commands join it."""
    operated.user("root", admin=True)
    operated.up("root")
    return operated


def test_the_seeds_commands_work_as_written_there(run: Command, running: Operated, folders: dict[str, Path]):
    """scan -f, scan -s, build_similarity_index, save_metadata, start_service, clear_cache; for all users."""
    jobs = run("scan", "-f", "--json")
    assert [(job["state"], job["counts"]["committed"]) for job in jobs] == [("done", 3)] * 2
    one = run("scan", "-s", str(folders["ann"] / "chelsea_20240710_120000.jpg"), "--json")
    assert (one["state"], one["counts"]["committed"]) == ("done", 1)
    assert "ann" in run("build_similarity_index", "--json")["indexed"]
    assert run("start_service").count("healthy") >= 3
    saved = run("save_metadata", "--json")
    assert [job["counts"]["written"] for job in saved] == [3, 3]
    assert len(list(folders["ann"].glob("*.jpg"))) == len(list(folders["ann"].glob("*.jpg.xmp"))) == 3
    assert "MB: pictures that no photo shows" in run("clear_cache")


def test_our_own_commands_do_and_foresee(run: Command, running: Operated, folders: dict[str, Path]):
    """A dry run changes nothing; a user's name means just that one's library."""
    assert run("train-faces", "--user", "ann", "--json")["state"] == "done"
    assert run("rescan-faces", "--user", "ann", "--json")["state"] == "done"
    assert run("generate-events", "--user", "ann", "--json")["counts"]["events"] == 1
    (folders["ann"] / "coffee_20240711_120000.jpg").unlink()
    (folders["ann"] / "coffee_20240711_120000.jpg.xmp").unlink()
    run("scan", "--user", "ann")

    foreseen = run("delete-missing", "--user", "ann", "--dry-run", "--json")
    assert (foreseen["counts"]["photos"], foreseen["refused"]) == (1, "")
    ann = running.system.users.by_name("ann")
    assert ann
    library = open_library(running.settings, ann.user_id)
    assert library.photos.count() == 3
    assert run("delete-missing", "--user", "ann", "--json")["state"] == "done"
    library = open_library(running.settings, ann.user_id)
    assert (library.photos.count(), library.trash.count()) == (2, 1)


def test_what_cannot_be_done_is_exit_status_one_and_wrong_words_are_two(run: Command, folders: dict[str, Path]):
    """Each with a sentence."""
    assert "nobody's folder" in run("scan", "-s", "/etc/hostname", status=1)
    assert "there is no user zoe" in run("train-faces", "--user", "zoe", status=1)
    assert "name files with -s" in run("scan", "a.jpg", status=2)


def test_one_users_folder_that_is_away_hinders_nobody_else(run: Command, running: Operated, folders: dict[str, Path]):
    """The others are scanned, and the exit status tells; a dry run that is refused is no success either."""
    away = folders["ben"].rename(folders["ben"].with_name("away"))
    try:
        told = run("scan", status=1)
        foreseen = run("delete-missing", "--user", "ben", "--dry-run", "--json", status=1)
    finally:
        away.rename(folders["ben"])

    assert "ben: the folder" in told
    assert "scan done" in told
    assert (foreseen["user"], bool(foreseen["refused"])) == ("ben", True)
