"""What a monitoring system and a probe see: /metrics over a real server, beside what it was read from."""

from collections.abc import Iterator

import pytest

from api.library_figures import STANDINGS
from api.service_figures import STATES
from serve_apps.vitals import SECONDS
from tests.api.standins import two_nodes
from tests.api.workload import STAGE, calls, commits, scraped, value, vitals, work
from tests.api.world import World

FROM_AFAR = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture
def busy(fresh: World) -> Iterator[World]:
    """A world of the test's own that has worked."""
    fresh.user("ben")
    work(fresh)
    return fresh


def scrape(world: World):
    """All families that are exported now."""
    answer = world.client().get("/metrics")
    assert answer.status_code == 200
    return scraped(answer.text)


def test_requests_are_counted_by_route_and_status(world: World) -> None:
    """By the route's template: no id, name or query becomes a label."""
    labels = {"method": "GET", "route": "/api/photos/{photo_id}"}
    client = world.as_user("ann")
    client.get("/api/photos/some-id-or-other")
    before = value(scrape(world), "brightroom_http_requests_total", **labels, status="404")
    for _ in range(3):
        client.get("/api/photos/some-id-or-other")

    after = scrape(world)

    assert value(after, "brightroom_http_requests_total", **labels, status="404") - before == 3
    assert "some-id-or-other" not in str(after)
    assert value(after, "brightroom_http_request_seconds_count", **labels) >= 3


def test_what_nobody_serves_becomes_no_label(world: World) -> None:
    """Neither a path that is not there nor a method that is none: strangers choose those."""
    world.client().get("/nothing-of-that-kind")
    world.client().request("INVENTED", "/healthz")

    text = world.client().get("/metrics").text

    assert "nothing-of-that-kind" not in text
    assert "INVENTED" not in text


def test_jobs_are_told_by_state_and_stage(busy: World) -> None:
    """Those that run with their numbers in flight, which no row has yet."""
    families = scrape(busy)

    assert value(families, "brightroom_jobs", state="queued") == 1
    assert value(families, "brightroom_jobs", state="running") == 1
    assert value(families, "brightroom_jobs", state="failed") == 0
    for figure, number in {
        "rows": "total",
        "rows_done": "done",
        "rows_failed": "failed",
        "rows_per_second": "rate",
    }.items():
        told = value(families, f"brightroom_job_stage_{figure}", action="scan", stage="clip")
        assert told == STAGE[number]
    assert 0 <= value(families, "brightroom_job_oldest_queued_seconds") < 60
    assert 0 <= value(families, "brightroom_job_heartbeat_age_seconds", action="scan") < 60


def test_services_are_told_by_state_and_replica(busy: World) -> None:
    """One state is 1; replicas are numbered, their ids are no labels."""
    families = scrape(busy)

    states = {
        state: value(families, "brightroom_service_state", service="clip_embeddings", state=state) for state in STATES
    }
    assert states == {state: float(state == "healthy") for state in STATES}
    assert value(families, "brightroom_service_replicas", service="clip_embeddings") == 1
    first = {"service": "clip_embeddings", "node": "here", "replica": "0"}
    assert value(families, "brightroom_service_replica_memory_bytes", **first) == 2**20
    assert value(families, "brightroom_service_replica_gpu_memory_bytes", **first) == 0
    assert value(families, "brightroom_service_restarts_total", service="clip_embeddings") == 0


def test_what_services_were_asked_is_summed_over_replicas(busy: World) -> None:
    """Those that are gone too; times and batches as cumulative buckets whose last one is the count."""
    busy.board.post("replicas", "r2", vitals("r2", calls(4, 0), left=True))

    families = scrape(busy)

    of = {"service": "clip_embeddings"}
    assert value(families, "brightroom_service_requests_total", **of) == 14
    assert value(families, "brightroom_service_failures_total", **of) == 1
    assert value(families, "brightroom_service_items_total", **of) == 14
    buckets = [
        sample.value
        for sample in families["brightroom_service_request_seconds"].samples
        if sample.name.endswith("_bucket")
    ]
    assert buckets == [12.0] * len(SECONDS) + [14.0]
    assert value(families, "brightroom_service_request_seconds_count", **of) == 14
    assert value(families, "brightroom_service_request_seconds_sum", **of) == pytest.approx(120.012)
    assert value(families, "brightroom_service_batch_items_bucket", **of, le="1.0") == 0
    assert value(families, "brightroom_service_batch_items_bucket", **of, le="2.0") == 7
    assert value(families, "brightroom_service_batch_items_sum", **of) == 14


def test_no_counter_falls_when_the_board_is_made_anew(busy: World) -> None:
    """Nor when a replica or a writer begins to count from nothing under its old name."""
    before = scrape(busy)
    busy.board.words = {}
    busy.board.post("writers", "ann", commits(2))

    forgotten = scrape(busy)
    busy.board.post("replicas", "r1", vitals("r1", calls(1, 0)))
    again = scrape(busy)

    requests, of = "brightroom_service_requests_total", {"service": "clip_embeddings"}
    assert value(before, requests, **of) == value(forgotten, requests, **of) == 10
    assert value(again, requests, **of) == 11
    assert value(forgotten, "brightroom_store_commit_seconds_count") == 7


def test_libraries_are_summed_over_their_owners(busy: World) -> None:
    """Nobody's name or id is in any label."""
    families = scrape(busy)

    told = {
        name: value(families, f"brightroom_library_{name}")
        for name in ("users", "photos", "videos", "photos_missing", "people", "events", "files_failed")
    }
    assert told == {
        "users": 3, "photos": 3, "videos": 1, "photos_missing": 1, "people": 0, "events": 0, "files_failed": 1,
    }  # fmt: skip
    faces = {name: value(families, "brightroom_library_faces", standing=name) for name in STANDINGS}
    assert faces == dict.fromkeys(STANDINGS, 0)
    assert value(families, "brightroom_library_bytes", kind="database") > 1000
    assert value(families, "brightroom_disk_free_bytes") < value(families, "brightroom_disk_size_bytes")
    given = {label for family in families.values() for sample in family.samples for label in sample.labels.values()}
    assert not given & {user.user_id for user in busy.users.values()}
    assert not given & set(busy.users)


def test_the_store_is_told_by_table(busy: World) -> None:
    """Rows, versions and bytes, over all libraries; the system's own tables apart."""
    families = scrape(busy)

    photos = {"database": "library", "table": "photos"}
    assert value(families, "brightroom_store_table_rows", **photos) == 4
    assert value(families, "brightroom_store_table_versions", **photos) >= 4
    assert value(families, "brightroom_store_table_bytes", **photos) > 1000
    assert value(families, "brightroom_store_table_rows", database="system", table="users") == 3


def test_commits_are_told_with_their_times(busy: World) -> None:
    """Of all writers together."""
    busy.board.post("writers", "ben", commits(3))

    families = scrape(busy)

    assert value(families, "brightroom_store_commit_seconds_bucket", le="0.005") == 8
    assert value(families, "brightroom_store_commit_seconds_count") == 8
    assert value(families, "brightroom_store_commit_seconds_sum") == pytest.approx(0.016)
    assert value(families, "brightroom_store_commit_failures_total") == 2
    assert value(families, "brightroom_store_compactions_total") == 4
    assert value(families, "brightroom_store_compaction_seconds_total") == 1


def test_nodes_and_gpus_are_told_as_they_were_measured(busy: World) -> None:
    """A node that does not answer has no figures, and is told."""
    families = scrape(busy)

    figures = two_nodes().nodes[0].figures
    assert figures
    assert value(families, "brightroom_cluster_nodes") == 2
    assert value(families, "brightroom_node_up", node="here") == 1
    assert value(families, "brightroom_node_up", node="there") == 0
    assert [sample.labels for sample in families["brightroom_node_cpus"].samples] == [{"node": "here"}]
    assert value(families, "brightroom_node_cpu_utilization_ratio", node="here") == figures.cpu.utilization
    assert value(families, "brightroom_node_memory_used_bytes", node="here") == figures.memory.used
    (gpu,) = figures.gpus
    at = {"node": "here", "gpu": "0"}
    assert value(families, "brightroom_gpu_utilization_ratio", **at) == gpu.utilization
    assert value(families, "brightroom_gpu_memory_used_bytes", **at) == gpu.memory_used
    assert value(families, "brightroom_gpu_memory_size_bytes", **at) == gpu.memory_total
    assert value(families, "brightroom_gpu_temperature_celsius", **at) == gpu.temperature
    assert value(families, "brightroom_gpu_info", **at, model=gpu.model) == 1


def test_a_source_that_is_away_takes_its_figures_with_it(busy: World) -> None:
    """The scrape is answered, the other figures are there, and which source is away is told."""
    busy.board.away = True

    families = scrape(busy)

    up = {sample.labels["source"]: sample.value for sample in families["brightroom_source_up"].samples}
    assert up == {
        "jobs": 1, "services": 1, "calls": 0, "libraries": 1, "store": 1, "commits": 0, "cluster": 1,
    }  # fmt: skip
    assert not {"brightroom_service_requests", "brightroom_store_commit_seconds"} & families.keys()
    assert value(families, "brightroom_jobs", state="running") == 1


def test_a_word_that_nobody_understands_is_a_source_that_is_away(busy: World) -> None:
    """Of a replica of another version, for example."""
    busy.board.post("replicas", "odd", {"service": 1})

    families = scrape(busy)

    assert value(families, "brightroom_source_up", source="calls") == 0


def test_the_process_and_the_build_are_told(world: World) -> None:
    """Memory as the kernel counts it; the version is that of /healthz."""
    families = scrape(world)

    assert value(families, "process_resident_memory_bytes") > 2**20
    (built,) = families["brightroom_build_info"].samples
    assert built.labels["version"] == world.client().get("/healthz").json()["version"]


def test_figures_are_for_this_machine_and_for_administrators(world: World) -> None:
    """A program on this machine needs no token; whoever comes through a proxy is not on it."""
    assert world.client().get("/metrics").status_code == 200
    assert world.client(**FROM_AFAR).get("/metrics").status_code == 401
    assert world.client(Forwarded="for=203.0.113.9").get("/metrics").status_code == 401
    assert world.client(world.token("ann"), **FROM_AFAR).get("/metrics").status_code == 403
    assert world.client(world.token("root"), **FROM_AFAR).get("/metrics").status_code == 200


def test_the_exposition_has_prometheus_own_type(world: World) -> None:
    """With one charset."""
    assert world.client().get("/metrics").headers["content-type"] == "text/plain; version=1.0.0; charset=utf-8"


def test_a_probe_learns_that_the_api_answers_and_which_it_is(world: World) -> None:
    """Without logging in."""
    told = world.client().get("/healthz").json()

    assert told["status"] == "ok"
    assert told["version"]
