"""The command line as a person types it: `brightroom` in a process of its own, with a root of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import skimage.data
from PIL import Image

from cluster.runtime import family, free_port, read_head
from cluster.settings import Settings
from cluster.store.database import open_system

BRIGHTROOM = Path(sys.executable).with_name("brightroom")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path: Path, weights: Path) -> dict[str, str]:
    """An empty root, the composed models, and only two services, so that a start is quick."""
    off = {f"BRIGHTROOM_SERVICES__{name}": "null" for name in ("FACE_RECOGNITION", "OCR", "TAGS", "EXIF", "THUMBNAIL")}
    roots = {"BRIGHTROOM_ROOT": str(tmp_path / "root"), "BRIGHTROOM_WEIGHTS": str(weights)}
    return {**os.environ, **off, **roots, "NO_COLOR": "1", "COLUMNS": "160"}


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    """Runs the command; the password, where one is asked for, comes from standard input."""

    def brightroom(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(BRIGHTROOM), *words]
        return subprocess.run(command, env=environment, input=typed, capture_output=True, text=True, timeout=200)

    return brightroom


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of two photos and a broken one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("chelsea", "coffee"):
        Image.fromarray(getattr(skimage.data, name)()).save(folder / f"{name}.jpg", quality=90)
    (folder / "broken.jpg").write_bytes(b"not a picture")
    return folder


def test_a_user_scans_and_searches_without_anything_running(run: Run, photos: Path):
    """create-admin, scan, stats, search, jobs: each prints JSON when asked, and nothing is left running."""
    created = run("create-admin", "me", "--directory", str(photos), typed="a long password\n")
    assert "created the administrator me" in created.stderr

    job = json.loads(run("scan", "--json").stdout)
    assert job["state"] == "done"
    assert {name: job["counts"][name] for name in ("listed", "committed", "failed", "skipped")} == {
        "listed": 3, "committed": 2, "failed": 1, "skipped": 0,
    }  # fmt: skip
    assert [error["name"] for error in job["errors"]] == ["broken.jpg"]

    assert json.loads(run("stats", "--json").stdout)["photos"] == 2
    assert json.loads(run("search", "a", "cat", "--json").stdout)[0]["name"] == "chelsea.jpg"
    assert [one["state"] for one in json.loads(run("jobs", "--json").stdout)] == ["done"]
    assert "chelsea.jpg" in run("search", "a cat").stdout


def test_mistakes_are_sentences_and_exit_status_one(run: Run, tmp_path: Path):
    """No traceback for a wrong setting, a missing user or folder, a short password."""
    for words, said in (
        (("stats",), "create-admin"),
        (("create-user", "x", "--directory", str(tmp_path / "none")), "is not there"),
        (("create-user", "x"), "8 to"),
        (("--config", str(tmp_path / "none.yaml"), "stats"), "there is no such file"),
    ):
        ended = run(*words, typed="short\n")
        assert ended.returncode == 1, ended
        assert said in " ".join(ended.stderr.split())
        assert "Traceback" not in ended.stderr


def test_the_seeds_spellings_work(run: Run):
    """`createuser` and the like are the same commands; help names each of ours."""
    assert "created the user kim" in run("createuser", "kim", typed="a long password\n").stderr
    assert "created the administrator root" in run("createadmin", "root", typed="a long password\n").stderr
    assert "build-similarity-index" in run("--help").stdout


@pytest.fixture
def up(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", str, Path]]:
    """`brightroom up` on a free port; its process, address and output."""
    port, log = free_port(), tmp_path / "up.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(BRIGHTROOM), "up", "--port", str(port)], env=environment, stdout=out, stderr=out, text=True
        )
        yield process, f"http://127.0.0.1:{port}", log
        if process.poll() is None:
            process.kill()
        process.wait()


def test_up_serves_until_ctrl_c_and_leaves_nothing_running(
    up: tuple["subprocess.Popen[str]", str, Path], environment: dict[str, str]
):
    """The first start makes `admin` and shows the password once; Ctrl-C ends Ray and every process of it."""
    process, url, log = up
    while not answers(url):
        assert process.poll() is None, log.read_text()
        time.sleep(0.2)
    settings = Settings(root=Path(environment["BRIGHTROOM_ROOT"]))
    head = read_head(settings)
    assert head is not None
    assert len(family(head)) > 5
    password = log.read_text().split("with the password ")[1].split(" ")[0]
    login = {"name": "admin", "password": password, "bearer": True}
    assert httpx.post(f"{url}/api/auth/login", json=login, timeout=30).status_code == 200
    assert [user.name for user in open_system(settings).users.list()] == ["admin"]

    process.send_signal(signal.SIGINT)

    assert process.wait(60) == 0, log.read_text()
    assert family(head) == []
    assert not head.alive()


def answers(url: str) -> bool:
    """Whether the server is there."""
    try:
        return httpx.get(f"{url}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
