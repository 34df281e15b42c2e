"""`brightroom nextcloud` as a person types it, in processes of its own, against a real server."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.sealing import handed_file
from cluster.settings import KEYS_VARIABLE, Settings
from cluster.store.database import open_system
from tests.canaries import Canaries
from tests.nextcloud.server import StandIn

BRIGHTROOM = Path(sys.executable).with_name("brightroom")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Where everything is, with one user; nothing of it stays in memory."""
    made = Settings(root=tmp_path / "root")
    open_system(made).users.create("ann", "hash")
    yield made
    shutil.rmtree(handed_file(made).parent, ignore_errors=True)


@pytest.fixture
def run(tmp_path: Path, cloud: StandIn, settings: Settings) -> Run:
    """Runs `brightroom nextcloud`; what is typed comes from standard input, variables by keyword."""
    (tmp_path / "authority.pem").write_bytes(cloud.authority())
    told = {
        "BRIGHTROOM_ROOT": str(settings.root), "BRIGHTROOM_NEXTCLOUD__ALLOWED_NETWORKS": '["127.0.0.1"]',
        "SSL_CERT_FILE": str(tmp_path / "authority.pem"), "NO_COLOR": "1", "COLUMNS": "200",
    }  # fmt: skip

    def brightroom(*words: str, typed: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        command = [str(BRIGHTROOM), "nextcloud", *words]
        environment = {**os.environ, **told, **variables}
        return subprocess.run(command, env=environment, input=typed, capture_output=True, text=True, timeout=100)

    return brightroom


def done(ended: subprocess.CompletedProcess[str]) -> str:
    """What a command that did its work printed."""
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_shell_user_connects_looks_chooses_and_disconnects(run: Run, cloud: StandIn, settings: Settings) -> None:
    """The password comes from standard input and is nowhere afterwards, nor is the key from the environment."""
    cloud.put("Weird \x1b[31m[red]/x.jpg", b"x")
    told = {"password": cloud.app_password(), "key": secrets.token_hex(32)}
    ended = [run("connect", cloud.url, "ann", typed=f"{told['password']}\n", **{KEYS_VARIABLE: told["key"]})]
    assert "connected to" in ended[0].stderr

    assert json.loads(done(run("status", "--json")))["state"] == "connected"  # the key is found without the variable
    ended += [run("folders"), run("folders", "Photos"), run("choose", "Photos", "/Notes/", "--exclude", "*.raw")]
    shown = done(ended[1])
    assert "Photos  (2)" in shown
    assert ("\x1b" in shown, "[red]" in shown) == (False, True)
    assert done(ended[2]).split() == ["Photos/Trip", "(2)"]
    done(ended[3])
    source = open_system(settings).sources.all()[0]
    assert (source.folders, source.excludes) == (["Notes", "Photos"], ["*.raw"])
    ended += [run("status")]
    assert "scanned: Notes, Photos" in done(ended[4])

    canaries = Canaries(told)
    assert canaries.in_bytes("".join(one.stdout + one.stderr for one in ended).encode()) == {}
    assert canaries.in_files(settings.root) == {}

    system = open_system(settings)
    scan = system.jobs.create(source.user_id, "scan-nextcloud", {})
    assert run("disconnect").returncode == 2
    done(run("disconnect", "--keep"))
    assert (system.sources.all(), system.jobs.get(scan.job_id).state) == ([], "cancelled")


def test_what_does_not_work_ends_with_status_1_and_a_sentence(run: Run, cloud: StandIn) -> None:
    """Nothing is kept, and no wrong password tried twice."""
    wrong = run("connect", cloud.url, "ann", typed="aaaaa-bbbbb-ccccc-ddddd-eeeee\n")
    assert (wrong.returncode, "app password" in wrong.stderr, cloud.bad_logins) == (1, True, 1)
    assert run("connect", cloud.url, "ann", typed="\n").returncode == 1
    assert "allowed_networks" in run("connect", "https://10.0.0.1", "ann", typed="x\n").stderr
    for words in (("status",), ("folders",), ("choose", "--everything"), ("disconnect", "--keep")):
        ended = run(*words)
        assert (ended.returncode, "connect first" in ended.stderr) == (1, True), words
    assert run("choose").returncode == 2
    assert cloud.bad_logins == 1


def test_a_connection_that_was_refused_shows_in_the_exit_status(run: Run, cloud: StandIn) -> None:
    """For scripts."""
    password = cloud.app_password()
    done(run("connect", cloud.url, "ann", typed=f"{password}\n"))
    cloud.revoke(password)

    ended = run("status")
    assert (ended.returncode, "refused" in ended.stdout) == (1, True)
    assert run("status").returncode == 1
    assert cloud.bad_logins == 1


def test_a_key_in_the_environment_that_is_none_stops_every_command(run: Run, cloud: StandIn) -> None:
    """With a sentence that does not quote it."""
    ended = run("status", **{KEYS_VARIABLE: "my-secret-key"})

    assert (ended.returncode, "openssl rand -hex 32" in ended.stderr) == (1, True)
    assert "my-secret-key" not in ended.stderr + ended.stdout
