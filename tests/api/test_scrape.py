"""A scrape of a whole running Brightroom: what a scan and a search did is in it, and nothing that counts ever falls."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import simplejpeg
import skimage.data
from prometheus_client.metrics_core import Metric

from api.http_server import serving
from api.up import Brightroom
from cluster import board
from cluster.runtime import family, read_head
from cluster.writer import TOPIC, RemoteWriter
from tests.api.workload import scraped, value
from tests.conftest import Household

WITHIN_S = 20.0  # replicas tell every few seconds, on a busy machine a little later


@pytest.fixture
def home(household: Callable[[], Household]) -> Household:
    """A household with two photos, not scanned yet."""
    home = household()
    for name in ("coffee", "rocket"):
        picture = getattr(skimage.data, name)().copy()
        (home.folder / f"{name}.jpg").write_bytes(simplejpeg.encode_jpeg(picture))
    return home


@pytest.fixture
def client(brightroom: Brightroom, home: Household) -> Iterator[httpx.Client]:
    """The household's client of a server over the session's Brightroom."""
    token, _ = brightroom.system.sessions.open(home.user_id, "test")
    headers = {"Authorization": f"Bearer {token}"}
    with (
        serving(brightroom.application(), "127.0.0.1", 0) as server,
        httpx.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False, verify=False) as client,
    ):
        yield client


def scrape(client: httpx.Client) -> dict[str, Metric]:
    """All families; every source is there."""
    families = scraped(client.get("/metrics").text)
    away = [sample.labels["source"] for sample in families["brightroom_source_up"].samples if not sample.value]
    assert away == []
    return families


def requests(families: dict[str, Metric], service: str) -> float:
    """The requests that a service had."""
    return value(families, "brightroom_service_requests_total", service=service)


def test_a_scan_and_a_search_are_counted(home: Household, client: httpx.Client) -> None:
    """Jobs, commits, requests to services with their times, photos; nodes as they are."""
    before = scrape(client)

    assert home.scan().state == "done"
    assert client.get("/api/search", params={"q": "a cup"}).status_code == 200
    deadline = time.monotonic() + WITHIN_S
    while requests(after := scrape(client), "clip_embeddings") <= requests(before, "clip_embeddings"):
        assert time.monotonic() < deadline, "no replica told of the search"
        time.sleep(0.5)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("brightroom_jobs", state="done") == 1
    assert grown("brightroom_store_commit_seconds_count") >= 2
    assert grown("brightroom_store_commit_failures_total") == 0
    of = {"service": "clip_embeddings"}
    assert grown("brightroom_service_request_seconds_count", **of) == grown("brightroom_service_requests_total", **of)
    assert grown("brightroom_service_request_seconds_sum", **of) > 0
    assert value(after, "brightroom_service_batch_items_count", **of) > 0
    assert value(after, "brightroom_service_state", service="clip_embeddings", state="healthy") == 1
    assert value(after, "brightroom_service_replicas", service="clip_embeddings") >= 1
    assert value(after, "brightroom_cluster_nodes") == 1
    (memory,) = after["brightroom_node_memory_size_bytes"].samples
    assert memory.value == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_a_killed_writer_counts_on(brightroom: Brightroom, home: Household) -> None:
    """From what it last told; so the sum over writers does not fall, even in a server that starts after the kill."""
    namespace, head = brightroom.settings.ray.namespace, read_head(brightroom.settings)
    assert head is not None
    assert home.scan().state == "done"
    told = board.read(namespace, TOPIC, home.user_id)
    assert told
    for process in family(head):
        if "ray::LibraryWriter" in " ".join(process.cmdline()):
            os.kill(process.pid, signal.SIGKILL)

    RemoteWriter(brightroom.settings, home.user_id).commit([])

    deadline = time.monotonic() + WITHIN_S
    while (now := board.read(namespace, TOPIC, home.user_id)) and now["commits"] <= told["commits"]:
        assert time.monotonic() < deadline, f"{now} after {told}"
        time.sleep(0.2)
    assert now
    assert now["seconds"] > told["seconds"]
