"""How services are, from facts made by hand: each state with its sentence, counts, losses and times."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cluster.settings import ModelSpec
from cluster.store.choices import Choice, text_of
from cluster.store.services import Wanted, Wish
from serve_apps.applications import Application
from serve_apps.status import Facts, Found, last_words, told
from serve_apps.vitals import Vitals
from tests.serve_apps.test_vitals import replica

NOW = 1_800_000_000.0
SPEC = ModelSpec(kind="imagenet-tags", checkpoint="embedded:efficientnet-lite0", revision="1", max_replicas=2)
OTHER = SPEC.model_copy(update={"revision": "2"})
DEPLOYED = NOW - 100
TRACEBACK = """The deployment failed to start 3 times in a row. Error:
ray::ServeReplica:tags.initialize_and_get_metadata() (pid=1, ip=127.0.0.1)
  File "x.py", line 1, in f
cluster.errors.Unavailable: there is nothing at /no/such/folder; mend the path
The above exception was the direct cause of the following"""


def served(name: str, state: str = "RUNNING") -> dict[str, Any]:
    """A replica as Serve has it."""
    return {"replica_id": name, "state": state, "node_id": "n1", "pid": 7, "start_time_s": NOW - 50}


def found(status: str, *replicas: dict[str, Any], message: str = "") -> Found:
    """What Serve says of an application."""
    return Found(status, message, DEPLOYED, list(replicas))


def word(name: str, ago: float = 1.0, **said: Any) -> Vitals:
    """A replica's last word, told so many seconds ago; it was ready 40 seconds ago, having taken 2.5."""
    times = {"born_at": NOW - 42.5, "ready_at": NOW - 40, "told_at": NOW - ago}
    return replica(name, **{**times, **said})


def facts(found: Found | None = None, *vitals: Vitals, wanted: Wanted | None = None, **more: Any) -> Facts:
    """All that is known of the tags."""
    wish = Wish("tags", wanted, datetime.fromtimestamp(NOW - 9, UTC), "ann") if wanted else None
    given = {
        "name": "tags", "spec": SPEC, "app": Application("tags-1", "tags", SPEC), "wish": wish, "choice": None,
        "found": found, "coming": None, "vitals": vitals, "nodes": {"n1": "here"}, "now": NOW, **more,
    }  # fmt: skip
    return Facts(**given)


ASLEEP = SPEC.model_copy(update={"min_replicas": 0})
TWO = SPEC.model_copy(update={"min_replicas": 2})
STATES = {
    "nothing of it is there": (facts(), "starting", "it is about to be started"),
    "its application goes": (facts(found("DELETING", served("a"))), "starting", "it is about to be started"),
    "it was just asked for": (facts(found("NOT_STARTED")), "starting", "it is about to be started"),
    "its model loads": (facts(found("DEPLOYING", served("a", "STARTING"))), "starting", "its model is being loaded"),
    "it has no place": (
        facts(found("DEPLOYING", served("a", "STARTING")), unplaced="no GPU is left"), "starting", "no GPU is left",
    ),
    "it answers": (facts(found("RUNNING", served("a")), word("a")), "healthy", ""),
    "it answers and more come": (facts(found("RUNNING", served("a"), served("b", "STARTING"))), "healthy", ""),
    "one of two answers": (
        facts(found("UNHEALTHY", served("a"), served("b", "STARTING")), spec=TWO), "degraded",
        "1 of 2 replicas answer; the others are being started",
    ),
    "one of two has no place": (
        facts(found("DEPLOYING", served("a")), spec=TWO, unplaced="no GPU is left"), "degraded",
        "1 of 2 replicas answer; no GPU is left",
    ),
    "its replica died": (
        facts(found("UNHEALTHY", served("b", "STARTING"))), "unhealthy",
        "its replica was lost or does not answer, and is being replaced",
    ),
    "its replica died and Serve has not seen it": (
        facts(found("RUNNING", served("a", "STOPPING"))), "unhealthy",
        "its replica was lost or does not answer, and is being replaced",
    ),
    "its replica is unwell and says why": (
        facts(found("UNHEALTHY", message="Traceback\nUnhealthy\nValueError: it fails on a tiny input")), "unhealthy",
        "its replica was lost or does not answer, and is being replaced: ValueError: it fails on a tiny input",
    ),
    "its model cannot be loaded": (
        facts(found("DEPLOY_FAILED", message=TRACEBACK)), "failed",
        "its model could not be loaded: "
        "cluster.errors.Unavailable: there is nothing at /no/such/folder; mend the path",
    ),
    "nobody asks and nobody ever did": (
        facts(found("RUNNING"), spec=ASLEEP), "healthy",
        "no replica is kept while nobody asks; the next request starts one",
    ),
    "nobody asks": (
        facts(found("RUNNING"), word("a", 500, left=True), spec=ASLEEP), "healthy",
        "no replica is kept while nobody asks; the next request starts one, which took 2.5 s the last time",
    ),
    "somebody stopped it": (
        facts(found("RUNNING", served("a")), wanted="stopped"), "stopped",
        "it was stopped by ann; an administrator starts it with `brightroom start-service tags` or "
        "POST /api/services/tags/start",
    ),
    "somebody started it": (facts(found("RUNNING", served("a")), word("a"), wanted="running"), "healthy", ""),
    "it has no model": (
        facts(spec=None, app=None), "unconfigured", "no model is configured; set services.tags",
    ),
    "it has no model and is stopped": (
        facts(spec=None, app=None, wanted="stopped"), "unconfigured", "no model is configured; set services.tags",
    ),
    "it is the llm without a model": (
        facts(spec=None, app=None, name="llm"), "unconfigured",
        "no model is configured; set services.llm in the settings to a checkpoint of an instruct model",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("known", "state", "reason"), STATES.values(), ids=STATES)
def test_each_state_has_its_sentence(known: Facts, state: str, reason: str):
    """And a service that is simply well has none."""
    status = told(known)

    assert (status.state, status.reason) == (state, reason)


def test_every_state_is_among_them():
    """All that a status may be."""
    states = {state for _, state, _ in STATES.values()}

    assert states == {"starting", "healthy", "degraded", "unhealthy", "stopped", "unconfigured", "failed"}


def test_what_is_wanted_of_a_service_nobody_touched_is_that_it_runs():
    """And of others what was said last."""
    assert [told(facts(wanted=wanted)).wanted for wanted in (None, "running", "stopped")] == [
        "running", "running", "stopped",
    ]  # fmt: skip


def changing(to: ModelSpec = OTHER) -> Choice:
    """A change under way."""
    moment = datetime.fromtimestamp(NOW, UTC)
    return Choice("tags", text_of(SPEC), text_of(SPEC), text_of(to), "", "ann", moment, moment)


@pytest.mark.parametrize(
    ("coming", "state", "reason"),
    [
        (None, "starting", "it is about to be started"),
        (found("DEPLOYING", served("n", "STARTING")), "starting", "its model is being loaded"),
        (found("RUNNING", served("n")), "healthy", ""),
        (
            found("DEPLOY_FAILED", message="OSError: no disk"),
            "failed",
            "its model could not be loaded: OSError: no disk",
        ),
    ],
)
def test_a_change_under_way_is_told_beside_the_model_in_use(coming: Found | None, state: str, reason: str):
    """Which answers as before, whatever becomes of the other."""
    status = told(facts(found("RUNNING", served("a")), word("a"), choice=changing(), coming=coming))

    assert (status.state, status.model) == ("healthy", SPEC.name)
    assert (status.next_model, status.next_state, status.next_reason) == (OTHER.name, state, reason)
    assert [one.replica for one in status.replicas] == ["a"]


def test_a_change_of_a_stopped_service_waits_for_its_start():
    """And says so."""
    status = told(facts(None, choice=changing(), wanted="stopped"))

    assert (status.state, status.next_state) == ("stopped", "stopped")
    assert "started" in status.next_reason


def test_without_a_change_there_is_no_next_model():
    """Also when one is over."""
    over = msgspec.structs.replace(changing(), in_use=text_of(OTHER))

    for choice in (None, over):
        status = told(facts(found("RUNNING", served("a")), choice=choice))
        assert (status.next_model, status.next_state, status.next_reason) == ("", "", "")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("", ""),
        ("only this", "only this"),
        (TRACEBACK, "cluster.errors.Unavailable: there is nothing at /no/such/folder; mend the path"),
        ("one\n\n  two  \n", "two"),
        ("ValueError: " + "x" * 1000, "x" * 400),
    ],
)
def test_of_a_traceback_the_error_matters(message: str, words: str):
    """On one line, and not more than a few."""
    assert last_words(message) == words
