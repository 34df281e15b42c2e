"""Services do as is wanted, whatever happens to them: stopped, deleted, killed, hung, not to be loaded."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from lancedb.expr import col, lit
from ray import serve

from api.up import Brightroom
from cluster.errors import Invalid, Unavailable
from serve_apps.online import Services
from serve_apps.running import found_applications
from tests.serve_apps.test_fleet import healthy, until

BROKEN = {"kind": "llm", "checkpoint": "local-dir:/no/such/folder"}


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def services(brightroom: Brightroom) -> Iterator[Services]:
    """The services as administrators steer them; afterwards all run again."""
    services = Services(brightroom.fleet)
    yield services
    for name in ("tags", "ocr"):
        services.start(name, "test")
        until(brightroom, name, healthy)


@pytest.fixture
def llm(brightroom: Brightroom, services: Services) -> Iterator[str]:
    """The llm, which has no model before and after."""
    yield "llm"
    none = {"in_use": "", "chosen": "", "before": ""}
    brightroom.system.choices.table.change(col("service") == lit("llm"), none)
    until(brightroom, "llm", lambda status: status.state == "unconfigured")


def test_a_stopped_service_ends_stays_stopped_and_says_how_to_start_it(brightroom: Brightroom, services: Services):
    """Its process is gone within ten seconds; a request is told at once; a start brings it back."""
    (replica,) = brightroom.fleet.status("tags").replicas

    told = services.stop("tags", "ann")
    assert told.state == "stopped"
    assert until(brightroom, "tags", lambda status: not status.replicas and gone(replica.pid)) < 10
    with pytest.raises(Unavailable, match="brightroom start-service tags"):
        services.served("tags", 5)
    assert "ann" in brightroom.fleet.status("tags").reason
    assert "tags" not in brightroom.fleet.coming()

    services.start("tags", "ann")
    until(brightroom, "tags", healthy)


def test_a_deleted_application_comes_back(brightroom: Brightroom, services: Services):
    """Somebody deleted it by Ray's own means; nobody here wanted that."""
    name = brightroom.fleet.application("ocr")
    (replica,) = brightroom.fleet.status("ocr").replicas

    serve.delete(name, _blocking=False)  # to wait for it is to miss it: it is back too soon

    until(brightroom, "ocr", lambda status: replica.replica not in [one.replica for one in status.replicas])
    assert until(brightroom, "ocr", lambda status: name in found_applications()) < 10
    until(brightroom, "ocr", healthy)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_a_replica_that_is_killed_or_hangs_is_replaced(brightroom: Brightroom, services: Services, sent: int):
    """Its successor is being started within ten seconds, and the loss is counted."""
    before = brightroom.fleet.status("tags")
    (replica,) = before.replicas

    os.kill(replica.pid, sent)

    def replaced(status) -> bool:
        return any(one.replica != replica.replica for one in status.replicas)

    assert until(brightroom, "tags", replaced) < 10
    until(brightroom, "tags", healthy)
    until(brightroom, "tags", lambda status: status.restarts == before.restarts + 1 and gone(replica.pid))


def test_a_model_that_cannot_load_fails_with_its_reason_and_is_not_tried_for_ever(
    brightroom: Brightroom, services: Services, llm: str
):
    """Three tries; the others stay up; a start tries it anew."""
    services.choose(llm, BROKEN, "ann")

    until(brightroom, llm, lambda status: status.state == "failed")
    failed = brightroom.fleet.status(llm)
    assert "/no/such/folder" in failed.reason
    assert brightroom.fleet.status("clip_embeddings").state == "healthy"
    for _ in range(10):  # two looks of whoever looks after services
        states = [one.state for one in brightroom.fleet.status(llm).replicas]
        assert "STARTING" not in states, "it is being tried again"
        time.sleep(0.5)

    services.start(llm, "ann")
    until(brightroom, llm, lambda status: status.state == "failed" and status.since > failed.since)


def test_a_model_that_is_gone_when_it_is_to_be_loaded_again_fails_too(
    brightroom: Brightroom, services: Services, weights: Path, tmp_path: Path
):
    """It answered once; that is no reason to try for ever. Another model can take its place."""
    folder = shutil.copytree(weights / "efficientnet-lite0", tmp_path / "mine")
    services.choose("tags", {"checkpoint": f"local-dir:{folder}"}, "ann")
    until(brightroom, "tags", lambda status: "mine" in status.model and healthy(status))
    shutil.rmtree(folder)
    (replica,) = [one for one in brightroom.fleet.status("tags").replicas if one.state == "RUNNING"]

    os.kill(replica.pid, signal.SIGKILL)

    until(brightroom, "tags", lambda status: status.state == "failed", 120)
    assert str(folder) in brightroom.fleet.status("tags").reason
    services.choose("tags", {"checkpoint": "embedded:efficientnet-lite0"}, "ann")
    until(brightroom, "tags", lambda status: "mine" not in status.model and healthy(status))


def test_a_chosen_model_that_cannot_load_leaves_the_one_in_use(brightroom: Brightroom, services: Services):
    """It says why; choosing the former one again ends the change."""
    before = brightroom.fleet.status("tags")
    services.choose("tags", {"kind": "zero-shot-tags", "checkpoint": "local-dir:/no/such/folder"}, "ann")

    until(brightroom, "tags", lambda status: status.next_state == "failed")
    meanwhile = brightroom.fleet.status("tags")
    services.choose("tags", {"kind": before.kind, "checkpoint": "embedded:efficientnet-lite0"}, "ann")
    services.choose("tags", {"options": {"min_score": 0.1}}, "ann")

    assert (meanwhile.state, meanwhile.model) == ("healthy", before.model)
    assert "/no/such/folder" in meanwhile.next_reason
    until(brightroom, "tags", lambda status: not status.next_model)
    ids = [[one.replica for one in status.replicas] for status in (before, brightroom.fleet.status("tags"))]
    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "ocr"}, "ocr does not do this work; choose imagenet-tags or zero-shot-tags"),
        ({"kind": "nothing"}, "there is no model of kind nothing"),
        ({"gpus": 0.5}, "gpus_per_node"),
        ({"options": {"nothing": 1}}, "no such option"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_a_model_that_cannot_be_is_refused(services: Services, change: dict[str, object], why: str):
    """Before anything is changed, in a sentence that names what is wrong."""
    with pytest.raises(Invalid, match=why):
        services.choose("tags", change, "ann")

    assert not services.fleet.status("tags").next_model
