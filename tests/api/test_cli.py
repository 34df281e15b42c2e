"""The command line as a person types it: `brightroom` in a process of its own, with a root of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import psutil
import pytest
import skimage.data
from PIL import Image

from api.http_server import listening
from cluster.head import Head, family, free_port, head_file, read_head
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


def test_a_scan_without_a_folder_says_so_before_anything_starts(run: Run, environment: dict[str, str]):
    """And says what to type."""
    ended = run("scan")

    assert ended.returncode == 1
    assert "`brightroom scan --directory FOLDER`" in " ".join(ended.stderr.split())
    assert "starting" not in ended.stderr
    assert not head_file(Settings(root=Path(environment["BRIGHTROOM_ROOT"]))).exists()


def test_brightrooms_own_folder_is_nobodys_photos(run: Run, tmp_path: Path):
    """Neither its root nor a folder that holds it, by whichever command; the API refuses the same."""
    own = tmp_path / "root"
    for words in (
        ("create-admin", "me", "--directory", str(own)),
        ("create-user", "kim", "--directory", str(tmp_path)),
        ("scan", "--directory", str(tmp_path)),
    ):
        ended = run(*words, typed="a long password\n")
        assert ended.returncode == 1
        assert "must lie outside the folder" in " ".join(ended.stderr.split())


def test_numbers_that_cannot_be_meant_are_refused(run: Run):
    """Before anything starts."""
    for words in (("jobs", "--limit", "0"), ("jobs", "--limit", "1001"), ("up", "--port", "70000")):
        assert run(*words).returncode == 2


def test_a_job_reads_the_settings_that_the_command_was_given(tmp_path: Path, environment: dict[str, str]):
    """A file named by --config, also by a relative path, counts for the processes of jobs too."""
    (tmp_path / "mine.yaml").write_text("scan: {batch_size: 7}\n")
    show_settings = "from cluster.settings import load_settings; print(load_settings().model_dump_json())"
    as_cli = f"""
import json, subprocess, sys
from pathlib import Path
from api.cli import chosen_settings
from batch.submissions import job_environment
settings = chosen_settings(Path("mine.yaml"))
assert settings.scan.batch_size == 7
command = [sys.executable, "-c", {show_settings!r}]
told = subprocess.check_output(command, env=job_environment(settings), cwd="/")
print(json.loads(told) == settings.model_dump(mode="json"))
"""
    command = [sys.executable, "-c", as_cli]
    assert subprocess.check_output(command, env=environment, cwd=tmp_path, text=True).strip() == "True"


def test_a_job_whose_process_is_gone_is_not_listed_as_running(run: Run, environment: dict[str, str]):
    """`jobs` looks after them first, and says how they go on."""
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    system = open_system(Settings(root=Path(environment["BRIGHTROOM_ROOT"])), lambda: an_hour_ago)
    system.jobs.start(system.jobs.create("ann", "scan", {}).job_id, "one", after=0)

    listed = run("jobs")

    assert "interrupted" in listed.stdout
    assert "`brightroom scan` goes on" in " ".join(listed.stdout.split())


def test_the_seeds_spellings_work(run: Run):
    """`createuser` and the like are the same commands; help names each of ours."""
    assert "created the user kim" in run("createuser", "kim", typed="a long password\n").stderr
    assert "created the administrator root" in run("createadmin", "root", typed="a long password\n").stderr
    assert "build-similarity-index" in run("--help").stdout


@pytest.fixture
def up(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", str, Path]]:
    """`brightroom up` that answers, on a free port; its process, address and output."""
    port, log = free_port(), tmp_path / "up.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(BRIGHTROOM), "up", "--port", str(port)], env=environment, stdout=out, stderr=out, text=True
        )
        while not answers(f"http://127.0.0.1:{port}"):
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        yield process, f"http://127.0.0.1:{port}", log
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_a_taken_port_is_a_sentence_before_anything_starts(run: Run, environment: dict[str, str]):
    """With the option that helps."""
    with listening("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        ended = run("up", "--port", str(port))

    assert ended.returncode == 1
    assert f"port {port} is taken; choose another with --port" in " ".join(ended.stderr.split())
    assert not head_file(Settings(root=Path(environment["BRIGHTROOM_ROOT"]))).exists()


def test_up_serves_until_ctrl_c_and_leaves_nothing_running(
    up: tuple["subprocess.Popen[str]", str, Path], environment: dict[str, str], run: Run
):
    """The first start shows the code by which one becomes the administrator; Ctrl-C ends every process."""
    process, url, log = up
    settings = Settings(root=Path(environment["BRIGHTROOM_ROOT"]))
    head = read_head(settings)
    assert head is not None
    assert len(family(head)) > 5
    assert open_to_others(head) <= {"ray::ServeReplica"}, "which ask for the token"
    code = re.findall(r"set-up code ([A-Z0-9-]{14})", " ".join(log.read_text().split()))[0]
    first = {"code": code, "name": "me", "password": "a long password"}
    assert httpx.post(f"{url}/api/setup", json=first, timeout=30).status_code == 201
    assert [(user.name, user.admin) for user in open_system(settings).users.list()] == [("me", True)]
    assert httpx.post(f"{url}/api/setup", json=first, timeout=30).status_code == 409
    second = run("up", "--port", "0")
    assert (second.returncode, "runs here already" in second.stderr) == (1, True)
    assert answers(url)

    process.send_signal(signal.SIGINT)

    assert process.wait(60) == 0, log.read_text()
    assert family(head) == []
    assert not head.alive()


def test_up_does_not_go_on_without_ray(up: tuple["subprocess.Popen[str]", str, Path], environment: dict[str, str]):
    """When Ray dies under it, it says so and ends with exit status 1; what was left of Ray is gone too."""
    process, _, log = up
    head = read_head(Settings(root=Path(environment["BRIGHTROOM_ROOT"])))
    assert head is not None

    os.kill(head.pid, signal.SIGKILL)

    assert process.wait(60) == 1, log.read_text()
    assert "Ray ended, and Brightroom with it" in " ".join(log.read_text().split())
    assert "Traceback" not in log.read_text()
    assert family(head) == []


def open_to_others(head: Head) -> set[str]:
    """The processes of a head that listen on more than loopback, by the first part of their title."""
    found = set()
    for process in family(head):
        with suppress(psutil.Error):
            doors = [one.laddr.ip for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
            if not all(ip_address(ip.removeprefix("::ffff:")).is_loopback for ip in doors):
                found.add(":".join(process.cmdline()[0].split(":")[:3]))
    return found


def answers(url: str) -> bool:
    """Whether the server is there."""
    try:
        return httpx.get(f"{url}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
