"""Who starts, shares and stops the head, with a stand-in for it: real processes, signals and locks, no Ray."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from ray._private.worker import print_to_stdstream

from cluster.branches import RaySettings
from cluster.errors import Unavailable
from cluster.head import Head, born, family, head_file, note, read_head, stop_head, sweep, temp_dir
from cluster.runtime import head_gone, keep_quiet, start_head, using_head
from cluster.settings import Settings
from tests.cluster.standin_head import User, gone, standing_head


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings with a root and a scratch folder of their own; whatever head is left is ended."""
    (tmp_path / "root").mkdir()
    scratch = RaySettings(temp_dir=tmp_path / "scratch", start_timeout_s=20)
    settings = Settings(root=tmp_path / "root", ray=scratch)
    yield settings
    stop_head(settings, grace_s=0)


def nothing(text: str) -> None:
    """Say nothing."""


def test_only_our_own_scratch_folder_is_removed(settings: Settings):
    """What else is in the folder that `ray.temp_dir` names stays: it may be /tmp."""
    assert settings.ray.temp_dir is not None
    neighbour = settings.ray.temp_dir / "neighbour.txt"
    temp_dir(settings).mkdir(parents=True)
    neighbour.write_text("not ours")
    standing_head(settings)

    stop_head(settings)

    assert neighbour.read_text() == "not ours"
    assert not temp_dir(settings).exists()


def test_whoever_comes_second_leaves_the_head_to_the_first(settings: Settings):
    """A second command joins the head, and its end does not stop it; the last one's does."""
    head = standing_head(settings)
    with using_head(settings, nothing) as alone:
        assert alone
        with using_head(settings, nothing) as alone_too:
            assert not alone_too
        assert head.alive()
    assert not head.alive()


def test_the_head_outlives_the_first_while_another_process_uses_it(settings: Settings):
    """A scan that started Ray ends before `up` does: `up` keeps its Ray, and its end stops it."""
    head = standing_head(settings)
    said: list[str] = []
    with using_head(settings, said.append):
        other = User(settings)
        other.until("in")

    assert head.alive()
    assert "leaving Ray running" in said[-1]
    other.end(signal.SIGINT)
    assert gone(head)


def test_a_killed_user_keeps_nobody_from_stopping_the_head(settings: Settings):
    """SIGKILL leaves the head; whoever comes next joins it and, being the last, stops it."""
    head = standing_head(settings)
    killed = User(settings)
    killed.until("in")
    killed.end(signal.SIGKILL)
    assert head.alive()

    with using_head(settings, nothing) as alone:
        assert alone
        assert read_head(settings) == head

    assert not head.alive()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_head_starts_or_runs_ends_it(settings: Settings, number: int):
    """Ctrl-C, a service manager's end and a closed terminal leave nothing running, at whatever moment."""
    for after_s, last_word in ((300, "coming"), (0, "in")):
        head = standing_head(settings, after_s)
        user = User(settings)
        user.until(last_word)
        time.sleep(0.3)

        user.end(number)

        assert gone(head, 1)
        assert family(head) == []


def test_a_head_that_does_not_answer_yet_is_waited_for(settings: Settings):
    """Two starts at once come to the same head: neither takes the other's for one that died."""
    head = standing_head(settings, after_s=1.5)
    found: list[Head | None] = []

    def use() -> None:
        with using_head(settings, nothing):
            found.append(read_head(settings))
            time.sleep(2)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [head, head]
    assert not head.alive()


def test_a_head_that_never_answers_is_ended_and_said_to_be(settings: Settings):
    """After the time it has, so that the next start is a fresh one."""
    hasty = settings.model_copy(update={"ray": settings.ray.model_copy(update={"start_timeout_s": 0.5})})
    head = standing_head(settings, after_s=300)

    with pytest.raises(Unavailable, match="Ray did not start"):
        start_head(hasty, nothing)

    assert not head.alive()
    assert not head_file(settings).exists()


def test_a_head_that_ended_is_noticed(settings: Settings):
    """While it runs it is not gone; on a cluster of somebody else's there is none of ours to lose."""
    head = standing_head(settings)
    assert not head_gone(settings)

    os.kill(head.pid, signal.SIGKILL)

    assert gone(head)
    assert head_gone(settings)
    elsewhere = settings.model_copy(update={"ray": RaySettings(address="10.0.0.1:6379")})
    assert not head_gone(elsewhere)


def test_a_process_that_got_the_pid_of_a_dead_head_is_let_be(settings: Settings):
    """After a restart of the machine the note's pid may be the leader of somebody's session."""
    stranger = standing_head(settings)
    note(settings, Head(stranger.gcs, stranger.dashboard, stranger.pid, stranger.born - 3600))

    sweep(settings)

    assert psutil.pid_exists(stranger.pid)
    assert born(stranger.pid) == stranger.born
    assert stranger.alive()
    note(settings, stranger)


def test_what_raylets_have_to_say_is_kept_out_of_the_terminal(capsys: pytest.CaptureFixture[str]):
    """Ray prints its messages for drivers also where their logs are not wanted: not after we asked it not to."""
    keep_quiet()

    print_to_stdstream({"lines": ["WARNING: 9 PYTHON workers"], "pid": "raylet", "is_err": False}, ignore_prefix=False)

    assert capsys.readouterr().out == ""
