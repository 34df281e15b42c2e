"""Services steered from the command line: wishes where nobody acts on them, and waiting where somebody does."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.steering import ended, follow, started
from cluster.errors import Unavailable
from cluster.settings import SERVICES, Settings
from cluster.store.database import open_system
from serve_apps.status import ServiceStatus
from tests.api.standins import healthy

BRIGHTROOM = Path(sys.executable).with_name("brightroom")
MODELS = [name for name in SERVICES if name != "llm"]  # that configs/embedded.yaml has
NOT_HERE = "Brightroom does not run here, `brightroom up` starts it"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root where nothing runs."""
    return tmp_path / "root"


@pytest.fixture
def run(root: Path) -> Run:
    """Runs the command: its exit status, and what it says on one line."""
    environment = {**os.environ, "BRIGHTROOM_ROOT": str(root), "NO_COLOR": "1", "COLUMNS": "160"}

    def brightroom(*words: str) -> tuple[int, str]:
        done = subprocess.run([str(BRIGHTROOM), *words], env=environment, capture_output=True, text=True, timeout=200)
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        return done.returncode, " ".join(done.stderr.split())

    return brightroom


def wishes(root: Path) -> dict[str, str]:
    """What is wanted of services, and by nobody else than who typed it."""
    noted = open_system(Settings(root=root)).services.wishes()
    assert all(wish.changed_by for wish in noted.values())
    return {name: wish.wanted for name, wish in noted.items()}


def test_a_wish_is_noted_where_brightroom_does_not_run(run: Run, root: Path):
    """It counts from the next start on, and that is said; nothing is started for it. The last wish counts."""
    assert run("stop-service", "tags") == (0, f"noted for tags; {NOT_HERE}")
    assert wishes(root) == {"tags": "stopped"}

    assert run("start-service", "tags") == (0, f"noted for tags; {NOT_HERE}")
    assert wishes(root) == {"tags": "running"}
    assert not (root / "run" / "head.json").exists()


def test_all_means_every_service_that_can_be_meant(run: Run, root: Path):
    """The one without a model cannot be started, which is said; it can be stopped. The seed's spellings work."""
    assert run("stop_service", "all") == (0, f"noted for {', '.join(SERVICES)}; {NOT_HERE}")
    assert wishes(root) == dict.fromkeys(SERVICES, "stopped")

    status, said = run("start_service", "all")
    assert status == 0
    assert said.startswith("llm: no model is configured; set services.llm")
    assert said.endswith(f"noted for {', '.join(MODELS)}; {NOT_HERE}")
    assert wishes(root) == {**dict.fromkeys(SERVICES, "running"), "llm": "stopped"}


def test_a_service_without_a_model_cannot_be_started(run: Run, root: Path):
    """Exit status 1, what to set, and no wish that nobody could fulfil."""
    status, said = run("start-service", "llm")

    assert status == 1
    assert said.startswith("brightroom: llm: no model is configured; set services.llm in the settings")
    assert wishes(root) == {}


@pytest.mark.parametrize("words", [("start-service", "dance"), ("stop-service",), ("stop-service", "tags", "ocr")])
def test_names_that_nobody_knows_are_refused(run: Run, root: Path, words: Sequence[str]):
    """With those there are; nothing is noted."""
    status, said = run(*words)

    assert status == 2
    assert "dance" not in words or "image_similarity" in said
    assert not (root / "store").exists() or wishes(root) == {}


def told(state: str, replicas: int, reason: str = "") -> ServiceStatus:
    """The tags in some state."""
    one = healthy("tags")
    return msgspec.structs.replace(one, state=state, reason=reason, replicas=one.replicas * replicas)


class Telling:
    """Services that are in one state after the other, look by look, and stay in the last."""

    def __init__(self, *states: ServiceStatus) -> None:
        self.states = [*states]

    def statuses(self) -> list[ServiceStatus]:
        """The tags as they are now, beside another service."""
        now = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return [healthy("ocr"), now]


def followed(over: Callable[[ServiceStatus], bool], *states: ServiceStatus) -> list[str]:
    """What is said while the tags go through some states."""
    said: list[str] = []
    fleet: Any = Telling(*states)
    follow(fleet, ["tags"], over, said.append)
    return said


def test_a_start_is_waited_for_until_the_service_answers():
    """Nothing is said of it before, nor of others."""
    starting, well = told("starting", 1, "its model is being loaded"), told("healthy", 1)

    assert followed(started, told("stopped", 0), starting, starting, well) == ["tags: [bold]healthy[/]"]


def test_a_stop_is_waited_for_until_its_processes_are_gone():
    """The wish alone frees no memory."""
    going, gone = told("stopped", 1, "it was stopped"), told("stopped", 0, "it was stopped")
    fleet = Telling(going, going, gone)
    asked: Any = fleet

    follow(asked, ["tags"], ended, lambda text: None)

    assert fleet.states == [gone]


def test_a_start_that_fails_is_an_error_with_the_reason():
    """Exit status 1, in the end."""
    with pytest.raises(Unavailable, match="tags is failed: no such checkpoint"):
        followed(started, told("starting", 1), told("failed", 0, "no such checkpoint"))


def test_what_a_service_says_is_no_markup():
    """A reason with brackets is told as it is."""
    assert followed(started, told("healthy", 1, "[red]no[/]")) == [r"tags: [bold]healthy[/]  \[red]no\[/]"]
