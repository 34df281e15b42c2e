"""Planted secrets: thirty of them, sent in every way there is to a server that logs all it sees: none is written."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canaries import Canaries

REPOSITORY = Path(__file__).resolve().parents[2]
AS_PEOPLE_TYPE = (
    "right password", "wrong password", "password in broken JSON", "password in JSON in JSON", "password in a form",
    "basic", "token in the query", "access token in the query", "signature in the query", "userinfo", "remembered",
    "in the environment",
)  # fmt: skip
AS_MACHINES_MAKE = (
    "forged session token", "bearer in small letters", "other cookie", "proxy", "key in a header", "careless userinfo",
    "cookie that is set", "in a warning", "printed", "what a thread dies of", "what the process dies of",
)  # fmt: skip


def planted() -> dict[str, str]:
    """New secrets, by the way on which they go."""
    told = {name: secrets.token_hex(6) + "/\"+ &=',%ü;\\" + secrets.token_hex(6) for name in AS_PEOPLE_TYPE}
    told |= {name: secrets.token_urlsafe(32) for name in AS_MACHINES_MAKE}
    told["careless userinfo"] = secrets.token_hex(8) + "/@" + secrets.token_hex(8)
    told["cloud secret"] = "aB1/" + secrets.token_urlsafe(27)
    told["cloud key"] = "AKIA" + secrets.token_hex(8).upper()
    told["hub token"] = "hf_" + secrets.token_hex(17)
    told["signed token"] = ".".join(["eyJhbGciOiJIUzI1NiJ9", *(secrets.token_urlsafe(30) for _ in range(2))])
    told["private key"] = secrets.token_urlsafe(48)
    return told


def let_loose(root: Path, how: str) -> tuple[Canaries, bytes]:
    """The secrets that a careless process was given, and what it printed."""
    told = planted()
    environment = {**os.environ, "PHOTOS_API_TOKEN": told["in the environment"]}
    done = subprocess.run(
        [sys.executable, "-m", "tests.planting", str(root), how], cwd=REPOSITORY, env=environment,
        input=json.dumps(told).encode(), capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr.decode()  # it ends by an error, which is one of the ways
    assert b"RuntimeError: passphrase: " in done.stderr
    return Canaries(told | json.loads((root / "given").read_text())), done.stdout + done.stderr


def test_no_planted_secret_is_written_anywhere(tmp_path: Path) -> None:
    """Neither in log files, nor on stderr, nor in answers and downloads: as it is, in parts, escaped, or in base64."""
    canaries, printed = let_loose(tmp_path, "on")

    assert len(canaries.secrets) >= 25
    assert b"/careless" in printed
    assert canaries.in_bytes(printed) == {}
    assert canaries.in_files(tmp_path / "data" / "logs", tmp_path / "answers") == {}


def test_without_redaction_every_one_of_them_would_be_found(tmp_path: Path) -> None:
    """So the search finds what is there to be found, in files, on stderr and in what is downloaded."""
    canaries, printed = let_loose(tmp_path, "off")

    logged = set(canaries.secrets) - {"printed"}
    assert set(canaries.in_bytes(printed)) == logged | {"printed"}
    assert set(canaries.in_files(tmp_path / "data" / "logs")) == logged
    assert set(canaries.in_files(tmp_path / "answers" / "file.txt")) == logged - {"what the process dies of"}


@pytest.mark.parametrize("name", ["plain.log", "packed.log.gz"])
def test_the_search_finds_a_secret_in_base64_among_others(tmp_path: Path, name: str) -> None:
    """Wherever in the bytes it begins, in plain files and in compressed ones."""
    import base64
    import gzip

    secret = secrets.token_urlsafe(20)
    for before in ("", "a", "ab", "abc"):
        text = base64.b64encode(f"{before}{secret}after".encode())
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)

        assert set(Canaries({"it": secret}).in_files(tmp_path)) == {"it"}
