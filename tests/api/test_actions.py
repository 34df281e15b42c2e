"""The Library actions over HTTP: what each may be told, what it would do, who asked, and how it is undone."""

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.job_view import changed
from cluster.store.jobs import SCHEDULE, WATCH
from cluster.store.paths import dir_id
from cluster.store.schema import rows_of
from tests.api.test_jobs import all_jobs
from tests.api.world import NOON, World

ACTIONS = ["scan", "train-faces", "rescan-faces", "generate-events", "delete-missing", "save-metadata"]


def asked(client: httpx.Client, action: str, body: Any = None, **params: Any) -> httpx.Response:
    """An action asked for."""
    return client.post(f"/api/library/actions/{action}", json=body, params=params)


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_started_once_and_says_who_asked(world: World, action: str) -> None:
    """202 with the job and where to follow it; a second request for the same gets the same job."""
    user = world.user(f"a-{action}")
    client = world.as_user(user.name)

    first, second = asked(client, action), asked(client, action)

    assert (first.status_code, second.status_code) == (202, 202)
    job = client.get(first.headers["location"]).json()
    assert (job["action"], job["owner"], job["by"]) == (action, user.user_id, user.user_id)
    assert second.json()["job_id"] == job["job_id"]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_dry_run_starts_nothing(world: World, action: str) -> None:
    """200 with a plan, also of an empty library."""
    world.user(f"d-{action}")
    client = world.as_user(f"d-{action}")

    answer = asked(client, action, dry_run=True)

    assert answer.status_code == 200
    assert answer.json().keys() == {"action", "counts", "names", "bytes", "refused", "confirm"}
    assert answer.json()["action"] == action
    assert client.get("/api/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("scan", {"all": True}),
        ("scan", {"confirm": 3}),
        ("train-faces", {"full": True}),
        ("rescan-faces", {"paths": []}),
        ("generate-events", {"retry": True}),
        ("delete-missing", {"confirm": 0}),
        ("delete-missing", {"confirm": "many"}),
        ("delete-missing", {"in_file": True}),
        ("save-metadata", {"in_file": "perhaps"}),
        ("save-metadata", {"confirm": 1}),
        ("analyse", None),
        ("dance", None),
    ],
)
def test_an_action_is_told_nothing_that_it_does_not_know(world: World, action: str, body: Any) -> None:
    """400 and no job; changes of models are nobody's to start here."""
    world.users.get("strict") or world.user("strict")
    client = world.as_user("strict")

    assert asked(client, action, body).status_code == 400
    assert client.get("/api/jobs").json()["jobs"] == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_without_a_folder_what_needs_one_is_refused(world: World, dry_run: bool) -> None:
    """With a sentence, and without looking at any other folder; training needs none."""
    name = f"homeless-{dry_run}"
    world.users[name] = world.system.users.create(name, "hash")
    client = world.as_user(name)

    answers = [asked(client, action, dry_run=dry_run) for action in ("scan", "delete-missing", "save-metadata")]

    assert {answer.status_code for answer in answers} == {200 if dry_run else 400}
    assert all("no folder is set for your photos" in answer.text for answer in answers)
    assert asked(client, "train-faces", dry_run=dry_run).status_code == (200 if dry_run else 202)


def test_arguments_reach_the_job(world: World) -> None:
    """As its function reads them."""
    world.user("arg")
    client = world.as_user("arg")

    assert asked(client, "delete-missing", {"confirm": 30}).json()["arguments"] == {"confirm": 30}
    assert asked(client, "save-metadata", {"in_file": True}).json()["arguments"] == {"in_file": True}
    assert asked(client, "save-metadata").status_code == 409  # to write sidecars is something else


def test_a_scan_is_foreseen_from_the_folder_alone(world: World) -> None:
    """New, changed, gone and unchanged files, with their names and the bytes that would be read."""
    user = world.user("fay")
    folder = Path(user.scan_directory)
    for name in ("same.jpg", "other.jpg", "gone.jpg"):
        world.photo("fay", name)
    (folder / "new").mkdir()
    (folder / "new" / "one.jpg").write_bytes(b"12345")
    (folder / "new" / ".hidden.jpg").write_bytes(b"1")
    (folder / "gone.jpg").unlink()
    for name in ("same.jpg", "other.jpg", "gone.jpg"):
        note(world, "fay", folder / name)
    (folder / "other.jpg").write_bytes(b"something else")
    client = world.as_user("fay")

    plan = asked(client, "scan", dry_run=True).json()
    full = asked(client, "scan", {"full": True}, dry_run=True).json()
    one = asked(client, "scan", {"paths": ["same.jpg"]}, dry_run=True).json()

    assert plan["counts"] == {"new": 1, "changed": 1, "gone": 1, "unchanged": 1}
    assert sorted(plan["names"]) == ["gone.jpg", "new/one.jpg", "other.jpg"]
    assert plan["bytes"] == 5 + (folder / "other.jpg").stat().st_size
    assert full["counts"] == {"new": 1, "changed": 2, "gone": 1, "unchanged": 0}
    assert (one["counts"]["changed"], one["names"]) == (1, ["same.jpg"])


def note(world: World, owner: str, path: Path) -> None:
    """Have the library know a file as it is, or as one that was there."""
    files = world.library(owner).files
    (row,) = [row for row in files.rows().to_pylist() if row["name"] == path.name]
    row |= {"dir_id": dir_id("folder", b"")}
    if path.exists():
        row |= {"mtime_ns": path.stat().st_mtime_ns, "size": path.stat().st_size}
    files.upsert(rows_of([row], files.schema))


def test_what_deletes_says_how_to_undo_it(world: World) -> None:
    """As long as the photos are in the trash; other jobs have nothing to undo."""
    user = world.user("uwe")
    client = world.as_user("uwe")
    job = asked(client, "delete-missing").json()
    path = f"/api/jobs/{job['job_id']}"
    request = {"method": "POST", "path": "/api/trash/restore", "body": {"action_id": job["job_id"]}}
    assert job["undo"] == {**request, "photos": 0}
    trash = world.library("uwe").trash
    rows = [
        {"photo_id": str(n), "action_id": job["job_id"], "deleted_at": NOON, "deleted_by": user.user_id, "rows": b""}
        for n in range(3)
    ]
    trash.upsert(rows_of(rows, trash.schema))

    assert client.get(path).json()["undo"] == {**request, "photos": 3}
    assert client.get("/api/jobs").json()["jobs"][0]["undo"]["photos"] == 3
    assert asked(client, "train-faces").json()["undo"] is None


def test_history_tells_what_changed_and_how_things_were_found_apart(world: World) -> None:
    """Counts of files are of an attempt, what changed is of the whole job."""
    world.user("his")
    job = world.system.jobs.create(world.users["his"].user_id, "scan", {}, WATCH)
    job = world.system.jobs.start(job.job_id)
    counts = {"listed": 9, "committed": 2, "failed": 1, "skipped": 6, "skipped_by": {"unchanged": 6}, "prepared": 1}
    world.system.jobs.beat(job.job_id, 1, [], {**counts, "photos_added": 2, "moved": 0, "gone_unmarked": 4})

    told = world.as_user("his").get(f"/api/jobs/{job.job_id}").json()

    assert (told["changed"], told["by"]) == ({"photos_added": 2}, "watch")
    assert (told["counts"]["gone_unmarked"], told["counts"]["listed"]) == (4, 9)
    assert changed({}) == {}


def test_jobs_are_listed_by_state_and_action(fresh: World) -> None:
    """One's own; pages go on under the same filter."""
    ann, ben = fresh.users["ann"].user_id, fresh.user("ben").user_id
    made = {}
    for owner, action, by in [
        (ann, "scan", ann),
        (ann, "train-faces", ann),
        (ben, "scan", ben),
        (ann, "scan", SCHEDULE),
    ]:
        made[owner, action, by] = fresh.system.jobs.create(owner, action, {}, by).job_id
        fresh.clock.advance(seconds=1)
    fresh.system.jobs.start(made[ann, "train-faces", ann])
    client = fresh.as_user("ann")

    def listed(**params: Any) -> list[str]:
        return [job["job_id"] for job in client.get("/api/jobs", params=params).json()["jobs"]]

    scans = [made[ann, "scan", SCHEDULE], made[ann, "scan", ann]]
    assert listed(action="scan") == listed(state="queued") == scans
    assert listed(state=["running", "queued"]) == [job["job_id"] for job in all_jobs(client, 10)]
    assert listed(state="running", action="scan") == []
    page = client.get("/api/jobs", params={"action": "scan", "limit": 1}).json()
    assert listed(action="scan", limit=1, cursor=page["next_cursor"]) == scans[1:]
    for wrong in ({"state": "asleep"}, {"action": "dance"}):
        assert client.get("/api/jobs", params=wrong).status_code == 400


@pytest.mark.parametrize("action", ACTIONS)
def test_a_retry_does_again_what_failed_or_says_that_nothing_did(world: World, action: str) -> None:
    """What works piece by piece has pieces that failed; what is all or nothing is done again when it failed."""
    user = world.user(f"r-{action}")
    client = world.as_user(user.name)
    by_pieces = action in ("scan", "rescan-faces", "save-metadata")

    for state in ("failed", "done"):
        job = asked(client, action).json()
        world.system.jobs.finish(job["job_id"], job["attempt"], state)
        again = client.post(f"/api/jobs/{job['job_id']}/retry")

        if state == "done" and not by_pieces:
            assert (again.status_code, "did all it had to do" in again.text) == (409, True)
        else:
            assert again.json()["arguments"].get("retry", False) == by_pieces
            assert again.json()["by"] == user.user_id
            world.system.jobs.finish(again.json()["job_id"], again.json()["attempt"], "done")


def test_sixteen_requests_at_once_are_one_scan_fifty_times(world: World) -> None:
    """Each of them gets the same job."""
    user = world.user("sixteen")
    clients = [world.as_user("sixteen") for _ in range(16)]

    for round_ in range(50):
        jobs = together(clients)
        assert len(set(jobs)) == 1, round_
        (live,) = world.system.jobs.list(user.user_id, states=["queued", "running", "paused", "interrupted"])
        assert live.job_id == jobs[0]
        world.system.jobs.finish(live.job_id, live.attempt, "done")

    assert len(world.system.jobs.list(user.user_id)) == 50


def together(clients: list[httpx.Client]) -> list[str]:
    """The jobs that clients get which all ask for a scan at the same moment."""
    begin, found = threading.Barrier(len(clients)), []

    def ask(client: httpx.Client) -> None:
        begin.wait()
        found.append(asked(client, "scan").json()["job_id"])

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(clients)
    return found
