"""What a status tells in numbers: counts, losses, times, and each replica."""

from datetime import UTC, datetime
from typing import Any

import pytest

from serve_apps.status import SILENT_S, Facts, told
from serve_apps.vitals import Counts
from tests.serve_apps.test_status import ASLEEP, NOW, SPEC, facts, found, served, word


def test_a_replica_that_is_silent_and_gone_though_nobody_asked_it_to_go_was_lost():
    """One that said goodbye, one that is there still, and one that was heard a moment ago were not."""
    long = SILENT_S + 1
    gone, left, hung, fresh = word("a", long), word("b", long, left=True), word("c", long), word("d", SILENT_S - 1)

    status = told(facts(found("RUNNING", served("c")), gone, left, hung, fresh))

    assert status.restarts == 1
    assert (
        told(
            facts(found("RUNNING", served("c")), gone, left, hung, fresh, coming=found("RUNNING", served("a")))
        ).restarts
        == 0
    )


def test_a_services_counts_are_those_of_all_replicas_there_ever_were_and_its_times_those_of_its_model():
    """Also of replicas that are gone and of former models; how long calls take is asked of the model in use."""
    counts = Counts(calls=10, items=40, failures=2)
    former = word("x", 900, application="tags-0", counts=counts, recent_s=[9.0] * 50, left=True)
    gone = word("a", 500, counts=counts, recent_s=[0.1, 0.3])
    here = word("b", counts=counts, recent_s=[0.2], waiting=3)

    status = told(facts(found("RUNNING", served("b")), former, gone, here))

    assert (status.requests, status.items, status.failures) == (30, 120, 6)
    assert (status.p50_s, status.p99_s) == (0.2, 0.3)
    assert status.queue == 3


def test_who_is_gone_has_no_queue_and_a_model_that_nobody_asked_no_times():
    """What it said last of those who waited was true then."""
    status = told(facts(found("RUNNING", served("b")), word("a", 500, waiting=7), word("b")))

    assert (status.queue, status.p50_s, status.p99_s) == (0, None, None)


def test_the_newest_error_of_all_replicas_is_the_last_one():
    """With its time; none is none."""
    older, newer = (
        word("a", last_error="KeyError: 1", last_error_at=NOW - 60),
        word("b", last_error="E: 2", last_error_at=NOW - 5),
    )

    status = told(facts(found("RUNNING", served("a")), newer, older, word("c")))

    assert (status.last_error, status.last_error_at) == ("E: 2", datetime.fromtimestamp(NOW - 5, UTC))
    assert told(facts(found("RUNNING", served("c")), word("c"))).last_error_at is None


def test_since_when_a_service_is_as_it_is():
    """Stopped: since that was wished. Healthy: since the first replica answers. Away: since its last word."""

    def ago(known: Facts) -> float | None:
        since = told(known).since
        return round(NOW - since.timestamp(), 3) if since else None

    first, second = word("a", ready_at=NOW - 40), word("b", ready_at=NOW - 20)
    assert ago(facts(found("RUNNING", served("a"), served("b")), first, second)) == 40
    assert ago(facts(found("RUNNING", served("b")), first, second)) == 20
    assert ago(facts(found("RUNNING"), spec=ASLEEP)) == 100
    assert ago(facts(found("RUNNING", served("a")), first, wanted="stopped")) == 9
    assert ago(facts(found("UNHEALTHY"), word("a", 30), word("b", 15))) == 15
    assert ago(facts(found("UNHEALTHY"))) == 100
    assert ago(facts(found("DEPLOY_FAILED"))) == 100
    assert ago(facts()) is None


def test_a_replica_is_told_with_where_it_is_and_what_it_says_of_itself():
    """One that has not said anything yet with what Serve has."""
    said = word("a", device="cuda", gpus=["1"], memory=5, gpu_memory=6)

    one, two = told(facts(found("RUNNING", served("a"), served("b", "STARTING")), said)).replicas

    assert (one.state, one.node, one.pid, one.device, one.gpus, one.memory, one.gpu_memory) == (
        "RUNNING", "here", 7, "cuda", ["1"], 5, 6,
    )  # fmt: skip
    assert (one.since, one.start_s) == (datetime.fromtimestamp(NOW - 40, UTC), 2.5)
    assert (two.state, two.device, two.gpus, two.since, two.start_s) == ("STARTING", "", [], None, None)


def test_a_replica_without_a_node_is_told_without():
    """It waits for a place: Serve says None of what it has not."""
    waiting = {**served("a", "STARTING"), "node_id": None, "pid": None}

    (one,) = told(facts(found("DEPLOYING", waiting))).replicas

    assert (one.node_id, one.node, one.pid) == ("", "", 0)


@pytest.mark.parametrize(
    ("spec", "device"),
    [({}, "cpu"), ({"gpus": 0.5}, "cuda"), ({"gpus": 0.5, "device": "cpu"}, "cpu")],
)
def test_the_device_is_what_a_replica_says_and_until_then_what_is_to_be(spec: dict[str, Any], device: str):
    """A share of a GPU is meant to be used, unless the settings say cpu."""
    meant = SPEC.model_copy(update=spec)

    assert told(facts(found("DEPLOYING"), spec=meant)).device == device
    assert told(facts(found("RUNNING", served("a")), word("a", device="cpu"), spec=meant)).device == "cpu"


def test_a_cold_start_is_that_of_the_replica_that_was_ready_last():
    """From its process's first moment until its model was loaded."""
    quick, slow = word("a", born_at=NOW - 10, ready_at=NOW - 9), word("b", born_at=NOW - 60, ready_at=NOW - 50)

    assert told(facts(found("RUNNING"), slow, quick)).cold_start_s == 1
    assert told(facts(found("RUNNING"))).cold_start_s is None
