"""Passwords for a Nextcloud, and the key they are sealed with, are nowhere: with all logs on, and nothing taken out."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.sealing import handed_file
from cluster.settings import KEYS_VARIABLE, Settings
from tests.canaries import Canaries
from tests.nextcloud.server import StandIn

REPOSITORY = Path(__file__).resolve().parents[2]
WRONG = (
    "wrong password", "password in a list", "password under another name", "password in broken JSON",
    "password in a form", "password of a name that is none",
)  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """Where the process has everything; nothing of it stays in memory."""
    yield tmp_path / "root"
    shutil.rmtree(handed_file(Settings(root=tmp_path / "root" / "home" / "data")).parent, ignore_errors=True)


def test_no_password_and_no_key_is_written_answered_or_inherited(tmp_path: Path, root: Path, cloud: StandIn) -> None:
    """Not in logs, answers, tables, jobs' rows, command lines, nor in the environment of what is started."""
    (tmp_path / "authority.pem").write_bytes(cloud.authority())
    root.mkdir()
    told = {name: secrets.token_urlsafe(18) for name in WRONG} | {"app password": cloud.app_password()}
    key = secrets.token_hex(32)
    command = [sys.executable, "-m", "tests.api.confiding", str(root), str(tmp_path / "authority.pem")]
    with (tmp_path / "stderr").open("w") as errors, subprocess.Popen(
        command, cwd=REPOSITORY, env={**os.environ, KEYS_VARIABLE: key}, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=errors,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout

        def answer(line: str, waited_for: str) -> str:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            said = process.stdout.readline()
            assert said.startswith(waited_for), (tmp_path / "stderr").read_text()
            return said.removeprefix(waited_for).strip()

        page = answer(json.dumps({**told, "url": cloud.url}), "grant")
        granted = told["password that was granted"] = cloud.grant(page)
        answer("", "revoke")
        cloud.revoke(granted)
        answer("", "end")
        canaries = Canaries({**told, "key": key})
        in_command = canaries.in_processes(process.pid)
        process.stdin.write("\n")
    assert process.returncode == 0, (tmp_path / "stderr").read_text()

    answers = [path.read_text() for path in sorted((root / "answers").iterdir(), key=lambda path: int(path.stem))]
    assert ["connected" in answers[0], "refused" in answers[-2], len(answers)] == [True, True, 14]
    assert in_command == {}
    assert "httpcore" in (root / "all.log").read_text()
    assert canaries.in_files(root, tmp_path / "stderr") == {}
    assert b"PATH=" in (root / "inherited").read_bytes()


def test_the_search_would_find_what_is_looked_for(tmp_path: Path) -> None:
    """In a file, as it is and as a header has it."""
    import base64

    password = secrets.token_urlsafe(18)
    for text in (password, base64.b64encode(f"ann:{password}".encode()).decode()):
        (tmp_path / "log").write_text(f"Authorization: {text}")

        assert set(Canaries({"it": password}).in_files(tmp_path)) == {"it"}
