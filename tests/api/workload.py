"""A world that has done some work of every kind, so that every figure has a value; and what a scrape of it says."""

from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from cluster.store.commits import CommitCounts
from cluster.store.files import SCHEMA as FILES
from cluster.store.schema import rows_of
from serve_apps.vitals import SECONDS, SIZES, Counts, Vitals
from tests.api.world import NOON, World

STAGE = {"name": "clip", "total": 120, "done": 40, "failed": 2, "state": "running", "rate": 12.5}


def scraped(text: str) -> dict[str, Metric]:
    """The families of an exposition by name."""
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(families: dict[str, Metric], sample: str, **labels: str) -> float:
    """The value of the one sample with this name and exactly these labels."""
    (found,) = [
        one.value for family in families.values() for one in family.samples
        if one.name == sample and one.labels == labels
    ]  # fmt: skip
    return float(found)


def vitals(replica: str, counts: Counts, **facts: Any) -> Vitals:
    """The last word of a replica."""
    told: dict[str, Any] = {
        "application": "clip_embeddings-1", "service": "clip_embeddings", "replica": replica, "node_id": "node1",
        "pid": 4711, "model": "test-clip@1", "device": "cpu", "gpus": [], "gpu_share": 0, "born_at": 1, "ready_at": 2,
        "told_at": 3, "counts": counts, "waiting": 0, "computing": 0, "recent_s": [], "memory": 1, "gpu_memory": 0,
        **facts,
    }  # fmt: skip
    return Vitals(**told)


def calls(quick: int, slow: int, failures: int = 0) -> Counts:
    """The counts of so many requests within 5 ms, and beyond all edges, one item each, in batches of up to 2."""
    total = quick + slow
    return Counts(
        total, total, failures, 0.001 * quick + 60.0 * slow, [quick, *[0] * (len(SECONDS) - 1), slow],
        [0, total // 2, *[0] * (len(SIZES) - 1)], total // 2 * 2,
    )  # fmt: skip


def commits(number: int) -> CommitCounts:
    """The counts of so many commits within 5 ms."""
    return CommitCounts(number, 1, 0.002 * number, [number, *[0] * len(SECONDS)], 2, 0.5)


def work(world: World) -> None:
    """Photos, jobs in every state that matters, services that were asked, writers that wrote, requests that failed."""
    world.photo("ben", "one.jpg")
    photo_id = world.photo("ann", "one.jpg")
    world.photo("ann", "film.mp4", kind="video")
    world.photo("ann", "gone.jpg", missing=True)
    failed: dict[str, Any] = {
        "file_id": "broken",
        "source": "folder",
        "path": b"broken.jpg",
        "name": "broken.jpg",
        "state": "failed",
        "seen_at": NOON,
    }
    world.library("ann").files.upsert(rows_of([failed], FILES))
    world.board.post("replicas", "r1", vitals("r1", calls(8, 2, 1)))
    world.board.post("writers", "ann", commits(5))
    run_jobs(world)
    world.client().get("/healthz")
    world.as_user("ann").get("/api/photos/nothing")
    world.models.down.add("image_similarity")
    assert world.as_user("ann").get(f"/api/photos/{photo_id}/similar").status_code == 503
    world.models.down.clear()


def run_jobs(world: World) -> str:
    """One job that waits and one that runs with its numbers in flight; the id of the latter."""
    jobs = world.system.jobs
    jobs.create("ben", "scan", {})
    running = jobs.start(jobs.create("ann", "scan", {}).job_id, "submission")
    world.cluster.board[running.job_id] = {"stages": [STAGE], "counts": {}}
    return running.job_id
