"""From login to a thumbnail with nothing but curl, against a real server over a real cluster."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import skimage.data
from PIL import Image

from api.http_server import serving
from api.passwords import Passwords
from api.up import Brightroom

PASSWORD = "a long enough password"
JSON = ("-H", "content-type: application/json")


@pytest.fixture
def url(brightroom: Brightroom, tmp_path: Path) -> Iterator[str]:
    """A server over the session's Brightroom, with a user `curl` who has three photos."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("chelsea", "coffee", "rocket"):
        Image.fromarray(getattr(skimage.data, name)()).save(photos / f"{name}.jpg", quality=90)
    brightroom.system.users.create("curl", Passwords().hash(PASSWORD), scan_directory=str(photos))
    with serving(brightroom.application(), "127.0.0.1", 0) as server:
        yield server.url


@pytest.fixture
def curl(url: str) -> Callable[..., bytes]:
    """Runs curl on a path and gives the body; an error status fails."""
    program = shutil.which("curl")
    assert program, "curl is part of the machine that tests run on"

    def run(path: str, *options: str, timeout_s: float = 120) -> bytes:
        command = [program, "-sS", "--fail-with-body", "--max-time", str(timeout_s), *options, url + path]
        return subprocess.run(command, capture_output=True, check=True).stdout

    return run


def test_login_scan_progress_search_and_a_thumbnail(curl: Callable[..., bytes]):
    """The whole way of a program that has nothing but HTTP."""
    body = json.dumps({"name": "curl", "password": PASSWORD, "bearer": True})
    token = json.loads(curl("/api/auth/login", *JSON, "-d", body))["token"]
    me = ("-H", f"authorization: Bearer {token}")

    job = json.loads(curl("/api/library/actions/scan", *me, "-X", "POST"))
    ended = followed(curl, me, job["job_id"])
    assert ended["state"] == "done", ended["error"]
    assert ended["counts"]["committed"] == 3

    for query, name in (("a+cat", "chelsea"), ("a+cup+of+coffee", "coffee"), ("rocket+launch", "rocket")):
        best = json.loads(curl(f"/api/search?q={query}&limit=3", *me))["hits"][0]
        assert best["photo"]["name"] == f"{name}.jpg"
        assert best["score"] > 0

    picture = curl(best["photo"]["thumbnails"]["big"], *me)
    assert picture[:4] == b"RIFF"
    assert picture[8:12] == b"WEBP"
    assert b"http-equiv" not in curl("/schema")


def followed(curl: Callable[..., bytes], me: tuple[str, ...], job_id: str) -> dict[str, Any]:
    """The job as the stream of events last told it."""
    last: dict[str, Any] = {"state": "queued"}
    while last["state"] in ("queued", "running"):
        told = stream(curl, me)
        last = next(job for job in reversed(told) if job["job_id"] == job_id)
    return last


def stream(curl: Callable[..., bytes], me: tuple[str, ...]) -> list[dict[str, Any]]:
    """The jobs that some seconds of the stream tell of; curl ends it when its time is over."""
    with pytest.raises(subprocess.CalledProcessError) as ended:
        curl("/api/jobs/events", *me, "-N", timeout_s=5)
    assert ended.value.returncode == 28  # the time is over
    return [json.loads(line[5:]) for line in ended.value.stdout.decode().splitlines() if line.startswith("data:")]
