"""Brightroom on somebody else's cluster of two nodes with a logical GPU each: placed, short of GPUs, bereft of a node.

One after the other: the later tests take nodes away from the earlier ones.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import skimage.data
from PIL import Image

from tests.api.operating import BRIGHTROOM, Operated
from tests.cluster.host import Host

PHOTOS = 40
MODELS: dict[str, Any] = {
    "clip_embeddings": {"kind": "clip", "checkpoint": "embedded:clip", "gpus": 0.5},
    "face_recognition": {"kind": "faces", "checkpoint": "embedded:dlib-resnet", "gpus": 0.5},
    "tags": {
        "kind": "imagenet-tags", "checkpoint": "embedded:efficientnet-lite0", "gpus": 0.25, "min_replicas": 2,
        "max_replicas": 2,
    },
}  # fmt: skip
SERVICES: dict[str, Any] = {
    "thumbnail": {"kind": "thumbnail", "cpus": 0},
    "image_captioning": {"kind": "template", "checkpoint": "template", "min_replicas": 0, "idle_s": 2},
    **{name: {**spec, "revision": "1", "device": "cpu", "batch_size": 4} for name, spec in MODELS.items()},
}
SETTINGS = {
    "gpus_per_node": 4,  # more than there are: what is asked for and not there is told, not refused
    "services": SERVICES,
    # More than one process in each pool, so that each node has its part in a scan.
    "scan": {"batch_size": 2, "ingest_workers": 5, "analyse_workers": 16, "call_timeout_s": 60},
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Two nodes, each with two CPUs and a GPU."""
    with Host(tmp_path_factory.mktemp("host"), [(2, 1), (2, 1)]) as host:
        yield host


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty photos of the same thing, none like another."""
    folder = tmp_path_factory.mktemp("photos")
    whole = Image.fromarray(skimage.data.retina())
    for number in range(PHOTOS):
        whole.crop((number, number, 600 + number, 600 + number)).save(folder / f"{number:02}.jpg")
    return folder


@pytest.fixture(scope="module")
def operated(host: Host, photos: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """Brightroom on that cluster, which only the environment names, with a user whose photos those are."""
    variables = {"RAY_ADDRESS": host.address, **host.key()}
    operated = Operated(tmp_path_factory.mktemp("two"), weights, SETTINGS, variables)
    operated.user("root", admin=True)
    operated.user("ann", directory=str(photos))
    try:
        operated.up("root")
        operated.until(lambda: set(states(operated).values()) == {"healthy"}, 150)
        yield operated
    finally:
        operated.down()


def states(operated: Operated) -> dict[str, str]:
    """The states of the services that have a model."""
    return {name: state for name, state in operated.states().items() if name in SERVICES}


def nodes(operated: Operated) -> tuple[int, int]:
    """How many nodes two answers tell of."""
    stats, cluster = (
        operated.admin.get(path).raise_for_status().json() for path in ("/api/server/stats", "/api/cluster")
    )
    return len(stats["nodes"]), len(cluster["nodes"])


def shares(operated: Operated) -> dict[tuple[str, str], float]:
    """What replicas hold of each GPU, by node and index; each replica with a share has one GPU, others have none."""
    held: dict[tuple[str, str], float] = {}
    for service in operated.admin.get("/api/services").raise_for_status().json():
        for replica in [one for one in service["replicas"] if one["since"]]:  # that has told of itself
            assert len(replica["gpus"]) == (1 if service["gpus"] else 0), service
            for index in replica["gpus"]:
                place = (replica["node_id"], index)
                held[place] = held.get(place, 0) + service["gpus"]
    return held


def homes(operated: Operated) -> set[str]:
    """The nodes that replicas are on."""
    services = operated.admin.get("/api/services").raise_for_status().json()
    return {replica["node_id"] for service in services for replica in service["replicas"]}


def done(client: httpx.Client, job_id: str) -> dict[str, int]:
    """The photos that each stage of a job has done."""
    stages = client.get(f"/api/jobs/{job_id}").raise_for_status().json()["stages"]
    return {stage["name"]: stage["done"] for stage in stages}


def reason(operated: Operated, name: str) -> str:
    """The sentence to a service's state."""
    return str(operated.service(name)["reason"])


def up(environment: dict[str, str], config: Path) -> subprocess.CompletedProcess[str]:
    """`brightroom up` with other variables, which ends by itself."""
    variables = {**os.environ, **environment}
    command = [str(BRIGHTROOM), "--config", str(config), "up", "--port", "0"]
    return subprocess.run(command, capture_output=True, text=True, env=variables, timeout=60, check=False)


def said(ended: subprocess.CompletedProcess[str]) -> str:
    """What a command said, in one line."""
    return " ".join(ended.stderr.split())


def test_replicas_sit_where_their_shares_have_room(operated: Operated, host: Host):
    """No GPU is shared out more than once over; what asks for none has none."""
    held = shares(operated)

    assert sum(held.values()) == 1.5
    assert all(share <= 1 for share in held.values()), held
    assert {node for node, _ in held} <= set(host.nodes)
    assert nodes(operated) == (2, 2)
    assert operated.admin.get("/api/cluster").json()["dashboard"] == f"http://{host.dashboard}"


def test_a_share_too_many_is_refused_before_anything_starts(operated: Operated):
    """In a sentence with who asks for what."""
    ended = up({"BRIGHTROOM_GPUS_PER_NODE": "1"}, operated.config)

    assert ended.returncode == 1
    assert "clip_embeddings 0.5 + face_recognition 0.5 + tags 2 x 0.25 = 1.5 is more than the 1 of gpus_per" in said(
        ended
    )


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("wrong", "does not take our token; set RAY_AUTH_TOKEN_PATH"),
        (None, "there is no token to show to the Ray cluster"),
    ],
)
def test_who_has_not_the_clusters_token_is_told_what_to_do(
    operated: Operated, host: Host, tmp_path: Path, token: str | None, why: str
):
    """In a sentence, and not after the time that Ray would try."""
    if token:
        (tmp_path / "token").write_text(token * 8)
    stranger = {"RAY_ADDRESS": host.address, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(tmp_path / "token")}

    ended = up({**stranger, "BRIGHTROOM_ROOT": str(tmp_path / "root")}, operated.config)

    assert ended.returncode == 1
    assert why in said(ended)
    assert "Traceback" not in ended.stderr


def test_a_model_that_fits_nowhere_waits_and_says_what_for(operated: Operated):
    """What is in use goes on answering; to choose that again ends the wait."""
    before = operated.service("tags")
    whole, back = ({"gpus": gpus, "min_replicas": kept, "max_replicas": kept} for gpus, kept in ((1.0, 1), (0.25, 2)))

    operated.admin.put("/api/services/tags/model", json=whole).raise_for_status()
    operated.until(lambda: "asks for 1 GPU" in operated.service("tags")["next_reason"], 30)
    waiting = operated.service("tags")
    operated.admin.put("/api/services/tags/model", json=back).raise_for_status()
    after = operated.service("tags")

    assert (waiting["state"], waiting["next_state"]) == ("healthy", "starting")
    assert "there are 2 GPUs, with 0." in waiting["next_reason"]
    assert "stop another service or lower services.tags.gpus" in waiting["next_reason"]
    assert (after["state"], after["next_model"], after["application"]) == ("healthy", "", before["application"])
    assert {one["replica"] for one in after["replicas"]} == {one["replica"] for one in before["replicas"]}


def test_a_scan_survives_the_loss_of_a_node(operated: Operated, host: Host):
    """No photo fails, all is done in one go, services come back on the node that is left, the only one told.

    Without face_recognition, which would not fit there: it is started afterwards, and says so until another one stops.
    """
    ann = operated.client("ann")
    operated.admin.post("/api/services/face_recognition/stop").raise_for_status()
    operated.until(lambda: sum(shares(operated).values()) == 1.0)
    job = ann.post("/api/library/actions/scan").raise_for_status().json()["job_id"]
    operated.until(lambda: done(ann, job).get("clip", 0) >= 4)
    assert [host.runs(number, "MapWorker") for number in (0, 1)] == [True, True]
    assert host.nodes[1] in homes(operated)
    assert done(ann, job)["caption"] < PHOTOS, "the scan was over before it could be disturbed"

    host.kill(1)

    operated.until(lambda: nodes(operated) == (1, 1), 15)
    ended = operated.rest(ann, job)
    assert ended["state"] == "done", ended["error"]
    assert (ended["counts"]["committed"], ended["counts"]["failed"]) == (PHOTOS, 0)
    stages = {stage["name"]: (stage["done"], stage["failed"]) for stage in ended["stages"]}
    assert stages.pop("faces") == (0, 0)
    assert set(stages.values()) == {(PHOTOS, 0)}, stages
    operated.until(lambda: set(states(operated).values()) == {"healthy", "stopped"})
    operated.until(lambda: shares(operated) == {(host.nodes[0], "0"): 1.0})

    operated.admin.post("/api/services/face_recognition/start").raise_for_status()
    operated.until(
        lambda: "asks for 0.5 GPU; there is 1 GPU, with nothing free" in reason(operated, "face_recognition")
    )
    operated.admin.post("/api/services/tags/stop").raise_for_status()
    operated.until(lambda: operated.states()["face_recognition"] == "healthy")


def test_a_service_that_nobody_asks_goes_and_comes_back_when_somebody_does(operated: Operated):
    """It is healthy all the time, and says how long a first answer takes; that answer comes, each time."""
    ann = operated.client("ann")
    photo = ann.get("/api/photos").raise_for_status().json()["photos"][0]

    for _ in range(2):
        operated.until(lambda: not operated.service("image_captioning")["replicas"], 60)
        asleep = operated.service("image_captioning")
        caption = ann.post(f"/api/photos/{photo['photo_id']}/caption").raise_for_status().json()

        assert asleep["state"] == "healthy"
        assert asleep["reason"] == (
            "no replica is kept while nobody asks; the next request starts one, "
            f"which took {asleep['cold_start_s']:.1f} s the last time"
        )
        assert caption["caption"]
        assert operated.service("image_captioning")["replicas"]


def test_up_ends_when_the_cluster_is_gone(operated: Operated, host: Host):
    """With a sentence and status 1, so that it is started again; what was wanted is wanted then."""
    assert operated.server
    host.behead()

    assert operated.server.wait(40) == 1
    told = " ".join(operated.log.read_text().split())
    assert f"the Ray cluster at {host.address} is gone, and Brightroom with it" in told
    assert operated.system.services.wanted("tags") == "stopped"
