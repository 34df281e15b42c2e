"""A Brightroom as its operator has it: services stopped, models changed, everything killed, and what comes back."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import skimage.data
from PIL import Image
from safetensors.torch import load_file, save_file

from cluster.head import temp_dir
from cluster.settings import KEYS_VARIABLE, SERVICES
from cluster.store.database import open_library
from serve_apps.models.embedded import compose
from tests.api.operating import Operated, stream
from tests.api.sending import Sent
from tests.api.sending import variables as planted_variables
from tests.batch.conftest import driver_of
from tests.canaries import Canaries

SPECS: dict[str, Any] = {
    "image_similarity": {"kind": "similarity", "cpus": 0},
    "thumbnail": {"kind": "thumbnail", "cpus": 0},
    "exif": {"kind": "exif", "cpus": 0},
    "clip_embeddings": {"kind": "clip", "checkpoint": "embedded:clip", "revision": "1", "batch_size": 4},
    "tags": {"kind": "imagenet-tags", "checkpoint": "embedded:efficientnet-lite0", "revision": "1"},
    "image_captioning": {"kind": "template", "checkpoint": "template", "revision": "1"},
}
BROKEN = {"kind": "llm", "checkpoint": "local-dir:/no/such/folder"}
TOLD = ("/api/services", "/api/users", "/api/jobs", "/api/cluster", "/api/server/stats", "/api/server/logs", "/metrics")
SEARCHED = {"a cat": "chelsea.jpg", "a cup of coffee": "coffee.jpg", "rocket launch": "rocket.jpg"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three photos to be found, and a hundred crops of a fourth."""
    folder = tmp_path_factory.mktemp("operated") / "photos"
    folder.mkdir()
    for name in SEARCHED.values():
        Image.fromarray(getattr(skimage.data, name.removesuffix(".jpg"))()).save(folder / name, quality=90)
    leaves = Image.fromarray(skimage.data.retina())
    for number in range(100):
        leaves.crop((number, number, 900 + number, 900 + number)).save(folder / f"crop{number:03}.jpg", quality=80)
    return folder


@pytest.fixture(scope="module")
def mirrored(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP checkpoint that finds what the embedded one finds, with vectors that point the other way.

    Whoever compares a text of one with pictures of the other finds the least fitting first.
    """
    folder = tmp_path_factory.mktemp("mirrored") / "clip"
    compose(weights)
    shutil.copytree(weights / "clip", folder)
    tensors = load_file(folder / "open_clip_model.safetensors")
    for name in ("text.proj.weight", "visual.head.proj.weight", "visual.head.proj.bias"):
        tensors[name] = -tensors[name]
    save_file(tensors, folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    """Secrets in the environment of `up`, of other programs and of ours."""
    return planted_variables()


@pytest.fixture(scope="module")
def operated(
    photos: Path, weights: Path, variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operated]:
    """A running Brightroom with an administrator, and a user whose photos those are."""
    settings = {"services": SPECS, "scan": {"batch_size": 4}}
    operated = Operated(tmp_path_factory.mktemp("operating"), weights, settings, variables)
    operated.user("root", admin=True)
    operated.user("ann", directory=str(photos))
    operated.up("root")
    yield operated
    operated.down()


def curl(operated: Operated, token: str, path: str, *options: str) -> Any:
    """What curl prints of a path, as JSON; an error status fails."""
    headers = ("-H", f"authorization: Bearer {token}")
    command = ["curl", "-sS", "--fail-with-body", *headers, *options, f"http://127.0.0.1:{operated.port}{path}"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def best(client: httpx.Client, text: str) -> str:
    """The name of the photo that a search finds first, by its picture alone."""
    answer = client.get("/api/search", params={"q": text, "limit": 3}).raise_for_status().json()
    assert answer["notes"] == [], answer["notes"]
    (first,) = [hit for hit in answer["hits"] if hit["picture"] and hit["picture"]["rank"] == 1]
    return str(first["photo"]["name"])


def test_a_scan_leaves_the_work_of_a_stopped_service_and_a_later_one_does_it(operated: Operated):
    """As administrator with curl; as somebody else the same calls are refused."""
    admin = operated.admin.headers["Authorization"].split()[1]
    user = operated.client("ann").headers["Authorization"].split()[1]
    assert {one["name"] for one in curl(operated, admin, "/api/services")} == set(SERVICES)
    assert curl(operated, admin, "/api/services/tags/stop", "-X", "POST")["wanted"] == "stopped"

    job = curl(operated, user, "/api/library/actions/scan", "-X", "POST")
    job = operated.rest(operated.client("ann"), job["job_id"])
    stages = {stage["name"]: stage for stage in job["stages"]}
    assert job["state"] == "done", job["error"]
    assert (stages["tags"]["done"], stages["tags"]["total"], stages["tags"]["state"]) == (0, 103, "pending")
    assert stages["tags"]["note"].startswith("service stopped")
    assert {stages[name]["done"] for name in ("thumbnails", "clip", "caption")} == {103}

    assert curl(operated, admin, "/api/services/tags/start", "-X", "POST")["wanted"] == "running"
    operated.until(lambda: operated.service("tags")["state"] == "healthy")
    again = curl(operated, user, "/api/library/actions/scan", "-X", "POST")
    again = operated.rest(operated.client("ann"), again["job_id"])
    assert [(stage["done"], stage["total"]) for stage in again["stages"] if stage["name"] == "tags"] == [(103, 103)]
    assert sum(stage["done"] for stage in again["stages"]) == 103

    for method, path in (("POST", "/api/services/tags/stop"), ("GET", "/api/services")):
        assert operated.client("ann").request(method, path).status_code == 403
        assert operated.client().request(method, path).status_code == 401


def test_the_clip_model_changes_under_searches_though_everything_is_killed_meanwhile(
    operated: Operated, mirrored: Path
):
    """No error, no mixed result; what was stopped stays so; the new vectors answer; going back makes none anew."""
    ann = operated.client("ann")
    operated.admin.post("/api/services/tags/stop").raise_for_status()
    old = operated.service("clip_embeddings")["model"]
    library = open_library(operated.settings, operated.system.users.by_name("ann").user_id)
    change = {"checkpoint": f"local-dir:{mirrored}", "revision": "mirror"}
    new = f"local-dir:{mirrored}@mirror"

    def embedded() -> int:
        table = library.registry.find(new)
        return table.count() if table else 0

    def revisions() -> set[str]:
        return set(library.photos.rows(columns=["clip_rev"])["clip_rev"].to_pylist())

    with stream(lambda: [best(ann, text) for text in SEARCHED]) as found:
        operated.admin.put("/api/services/clip_embeddings/model", json=change).raise_for_status()
        operated.until(lambda: embedded() >= 8, 120)
    assert embedded() < 103, "the machine is too quick to be killed in the middle"
    (job,) = [job for job in operated.system.jobs.list(action="analyse") if job.state == "running"]
    driver = driver_of(job.job_id)
    operated.kill(*[driver.pid] if driver else [])
    assert all(names == list(SEARCHED.values()) for names in found), found
    assert len(found) > 5

    operated.up("root")
    ann = operated.client("ann")
    operated.until(lambda: operated.states()["clip_embeddings"] == "healthy")
    operated.until(lambda: operated.states()["image_similarity"] == "healthy")
    with stream(lambda: [best(ann, text) for text in SEARCHED]) as found:
        operated.until(lambda: operated.service("clip_embeddings")["model"] == new, 120)
        operated.until(lambda: revisions() == {new}, 60)
    assert all(names == list(SEARCHED.values()) for names in found), found
    assert embedded() == 103
    states = operated.states()
    assert states.pop("tags") == "stopped"
    assert {state for name, state in states.items() if name in SPECS} == {"healthy"}

    jobs = len(operated.system.jobs.list(action="analyse"))
    with stream(lambda: [best(ann, text) for text in SEARCHED]) as found:
        back = {"checkpoint": "embedded:clip", "revision": "1"}
        operated.admin.put("/api/services/clip_embeddings/model", json=back).raise_for_status()
        took = operated.until(lambda: operated.service("clip_embeddings")["model"] == old, 30)
    assert all(names == list(SEARCHED.values()) for names in found), found
    since = operated.system.jobs.list(action="analyse")[: len(operated.system.jobs.list(action="analyse")) - jobs]
    assert not [job for job in since if job.arguments["part"] == "vectors"], took


def test_no_planted_secret_is_found_anywhere(operated: Operated, variables: dict[str, str]):
    """Not in logs, of ours and of Ray, in the store, on `up`'s terminal, in command lines, downloads and answers.

    A scan is cut off meanwhile, and a service cannot load. Ray's token stands in the one file that is made for it.
    """
    ann, token = operated.client("ann"), operated.root / "run" / "ray-token"
    sent = Sent(operated.admin, operated.client())
    sent.everything()
    job = cut_off(operated, ann)
    sent.ask(operated.admin, {"method": "PUT", "to": "/api/services/llm/model", "json": BROKEN})
    operated.until(lambda: operated.service("llm")["state"] == "failed")
    ann.post(f"/api/jobs/{job}/resume").raise_for_status()
    assert operated.rest(ann, job)["state"] == "done"
    for path in (*TOLD, *[f"/api/server/logs/{name}" for name in ("api", "jobs", "llm", "clip_embeddings")]):
        assert sent.ask(operated.admin, {"method": "GET", "to": path}).status_code == 200, path

    canaries = Canaries(sent.told | variables | {"Ray's token": token.read_text()})
    ours = [path for path in operated.root.iterdir() if path.name not in ("derived", "run")]
    run = [path for path in (operated.root / "run").iterdir() if path != token]
    assert len(canaries.secrets) >= 25
    assert canaries.in_bytes(b"\n".join(sent.answers)) == {}
    assert canaries.in_files(*ours, *run, operated.log, temp_dir(operated.settings)) == {}
    assert canaries.in_processes(*psutil.pids()) == {}
    assert operated.inheriting("PATH")
    assert operated.inheriting(KEYS_VARIABLE) == []

    there = Canaries({"the checkpoint": BROKEN["checkpoint"].removeprefix("local-dir:")})
    assert set(canaries.in_files(token)) == {"Ray's token"}
    for place in (operated.root / "store", temp_dir(operated.settings)):
        assert there.in_files(place), f"nothing would be found in {place}"
    assert {path.name for path in (operated.root / "logs").rglob("*.log") if path.stat().st_size} > {"api.log"}
    assert there.in_bytes(b"\n".join(sent.answers))


def cut_off(operated: Operated, client: httpx.Client) -> str:
    """A scan whose process was killed in the middle; its job."""
    job = str(client.post("/api/library/actions/scan", json={"full": True}).raise_for_status().json()["job_id"])
    operated.until(lambda: driver_of(job))
    driver = driver_of(job)
    assert driver
    assert Canaries({"the job": job}).in_processes(driver.pid), "command lines are not read"
    driver.kill()
    operated.until(lambda: operated.system.jobs.get(job).state == "interrupted")
    return job
