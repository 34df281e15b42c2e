"""Jobs over HTTP: whose they are, how they go, what failed in them, and steering them."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api import jobs as module
from cluster.store.jobs import Job
from cluster.store.schema import rows_of
from tests.api.world import NOON, World

STEPS = ["pause", "resume", "cancel", "retry"]


def all_jobs(client: httpx.Client, limit: int) -> list[dict[str, Any]]:
    """The jobs of all pages."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get("/api/jobs", params={"limit": limit, "cursor": cursor}).json()
        found += answer["jobs"]
        cursor = answer["next_cursor"]
    return found


def started(world: World, name: str) -> Job:
    """A running job of a user."""
    job = world.system.jobs.create(world.users[name].user_id, "scan", {"full": False})
    return world.system.jobs.start(job.job_id)


def events(answer: httpx.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    """The ids and jobs of a stream's events."""
    event_id = ""
    for line in answer.iter_lines():
        if line.startswith("id: "):
            event_id = line.removeprefix("id: ")
        elif line.startswith("data: "):
            yield event_id, json.loads(line.removeprefix("data: "))


def test_pages_of_jobs_are_complete_and_newest_first(fresh: World) -> None:
    """Jobs of the same moment too."""
    made = []
    for number in range(7):
        made.append(fresh.system.jobs.create(fresh.users["ann"].user_id, "scan", {"number": number}).job_id)
        if number % 2:
            fresh.clock.advance(seconds=1)

    found = all_jobs(fresh.as_user("ann"), limit=3)

    assert len(found) == 7
    assert {job["job_id"] for job in found} == set(made)
    moments = [job["created_at"] for job in found]
    assert moments == sorted(moments, reverse=True)


def test_one_sees_ones_own_jobs_and_an_administrator_all(world: World) -> None:
    """In the list and one by one."""
    world.user("pia"), world.user("quin")
    pias, quins = started(world, "pia").job_id, started(world, "quin").job_id

    assert [job["job_id"] for job in all_jobs(world.as_user("pia"), 10)] == [pias]
    assert {pias, quins} <= {job["job_id"] for job in all_jobs(world.as_user("root"), 100)}
    assert world.as_user("root").get(f"/api/jobs/{pias}").json()["owner"] == world.users["pia"].user_id


def test_a_list_of_one_owners_jobs_has_no_others(world: World) -> None:
    """An administrator's own, somebody's for an administrator, and for others nobody's but their own."""
    world.user("petra"), world.user("warden", admin=True)
    petras, wardens = started(world, "petra").job_id, started(world, "warden").job_id
    petra, warden = world.users["petra"].user_id, world.users["warden"].user_id

    def seen(name: str, owner: str) -> list[str]:
        told = world.as_user(name).get("/api/jobs", params={"owner": owner}).json()
        return [job["job_id"] for job in told["jobs"]]

    assert seen("warden", "me") == seen("warden", warden) == [wardens]
    assert seen("warden", petra) == seen("petra", "me") == [petras]
    assert seen("petra", warden) == []


@pytest.mark.parametrize("step", ["", "/errors", *[f"/{step}" for step in STEPS]])
def test_another_owners_job_is_like_one_that_never_was(world: World, step: str) -> None:
    """To look at, to read errors of, and to steer."""
    job_id = started(world, "ann").job_id
    ben = world.as_user("ben")
    method = "GET" if step in ("", "/errors") else "POST"

    theirs = ben.request(method, f"/api/jobs/{job_id}{step}")
    unknown = ben.request(method, f"/api/jobs/{'0' * 16}{step}")

    assert (theirs.status_code, theirs.content) == (404, unknown.content)
    assert world.system.jobs.get(job_id).wanted == "run"


def test_a_running_job_shows_its_numbers_in_flight(world: World) -> None:
    """Rather than those of its row, which are written now and then; an ended one shows its row's."""
    job = started(world, "ann")
    world.system.jobs.beat(job.job_id, job.attempt, [{"name": "thumbnails", "total": 10, "done": 1}], {"listed": 10})
    world.cluster.board[job.job_id] = {
        "stages": [
            {"name": "thumbnails", "total": 10, "done": 7, "failed": 1, "state": "running", "rate": 3.5, "eta_s": 0.6}
        ],
        "counts": {"listed": 10, "skipped_by": {"hidden": 1}, "prepared": 1},
    }
    client = world.as_user("ann")

    running = client.get(f"/api/jobs/{job.job_id}").json()
    world.system.jobs.finish(job.job_id, job.attempt, "done")
    ended = client.get(f"/api/jobs/{job.job_id}").json()

    assert running["stages"][0] == {
        "name": "thumbnails", "total": 10, "done": 7, "failed": 1, "skipped": 0, "state": "running",
        "rate": 3.5, "eta_s": 0.6, "spent_s": 0, "note": "",
    }  # fmt: skip
    assert running["counts"] == {"listed": 10, "skipped_by": {"hidden": 1}}  # without marks of our own
    assert (ended["state"], ended["stages"][0]["done"]) == ("done", 1)


def test_steering_asks_the_job_control(world: World) -> None:
    """A pause can be taken back, a cancel cannot; what the state does not allow is a conflict that changes nothing."""
    world.user("zoe")
    job = started(world, "zoe")
    client, path = world.as_user("zoe"), f"/api/jobs/{job.job_id}"

    wanted = [client.post(f"{path}/{step}").json()["wanted"] for step in ("pause", "resume", "cancel")]
    early = [client.post(f"{path}/{step}").status_code for step in ("pause", "resume", "retry")]
    still = client.get(path).json()["wanted"]
    world.system.jobs.finish(job.job_id, job.attempt, "failed", "The disk is full.")
    late = client.post(f"{path}/pause")
    again = client.post(f"{path}/retry")

    assert wanted == ["pause", "run", "cancel"]
    assert (early, still, late.status_code) == ([409, 409, 409], "cancel", 409)
    assert client.get(path).json()["error"] == "The disk is full."
    assert again.json()["arguments"]["retry"] is True
    assert client.post(f"{path}/explode").status_code == 400


def test_an_administrator_may_cancel_anybodys_job(world: World) -> None:
    """Somebody must be able to."""
    job_id = started(world, "ann").job_id

    assert world.as_user("root").post(f"/api/jobs/{job_id}/cancel").json()["wanted"] == "cancel"


def test_pages_of_errors_are_complete(world: World) -> None:
    """Each with file, stage and a reason for people; of this job only."""
    job_id, other = started(world, "ann").job_id, started(world, "ann").job_id
    table = world.library("ann").errors
    rows = [
        {
            "error_id": f"{owner}-{number:02d}", "job_id": owner, "file_id": "f" * 32, "name": f"{number}.jpg",
            "stage": "thumbnails", "reason": "It is truncated.", "at": NOON,
        }
        for owner in (job_id, other) for number in range(7)
    ]  # fmt: skip
    table.upsert(rows_of(rows, table.schema))
    client, found, cursor = world.as_user("ann"), [], ""

    while cursor is not None:
        page = client.get(f"/api/jobs/{job_id}/errors", params={"limit": 3, "cursor": cursor}).json()
        found += page["errors"]
        cursor = page["next_cursor"]

    assert [error["name"] for error in found] == [f"{number}.jpg" for number in range(7)]
    assert found[0]["reason"] == "It is truncated."
    assert len(world.as_user("root").get(f"/api/jobs/{job_id}/errors").json()["errors"]) == 5


def test_a_stream_tells_how_ones_jobs_are_and_every_change(world: World) -> None:
    """First as they are, then again when they change; nothing of others' jobs."""
    world.user("rosa")
    job = started(world, "rosa")
    started(world, "ben")

    with world.as_user("rosa").stream("GET", "/api/jobs/events") as answer:
        told = events(answer)
        first = next(told)[1]
        world.system.jobs.beat(job.job_id, job.attempt, [{"name": "clip", "total": 2, "done": 1}])
        second = next(told)[1]
        world.system.jobs.finish(job.job_id, job.attempt, "done")
        third = next(told)[1]

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    assert [one["job_id"] for one in (first, second, third)] == [job.job_id] * 3
    assert (first["state"], second["stages"][0]["done"], third["state"]) == ("running", 1, "done")


def test_a_stream_goes_on_after_the_last_event_seen(world: World) -> None:
    """What was seen is not told again; what changed meanwhile is, as it is now, once."""
    world.user("sven")
    seen, changed = started(world, "sven"), started(world, "sven")
    client = world.as_user("sven")
    with client.stream("GET", "/api/jobs/events") as answer:
        told = events(answer)
        last_id = [next(told)[0], next(told)[0]][-1]
    for done in (1, 2):
        world.system.jobs.beat(changed.job_id, changed.attempt, [{"name": "clip", "done": done}])

    with client.stream("GET", "/api/jobs/events", headers={"Last-Event-ID": last_id}) as answer:
        event_id, job = next(events(answer))
    with client.stream("GET", "/api/jobs/events", headers={"Last-Event-ID": "of another server-7"}) as answer:
        everything = events(answer)
        again = {next(everything)[1]["job_id"], next(everything)[1]["job_id"]}

    assert (job["job_id"], job["stages"][0]["done"]) == (changed.job_id, 2)
    assert event_id != last_id
    assert again == {seen.job_id, changed.job_id}


def test_a_stream_ends_with_its_session(world: World) -> None:
    """A session that is revoked while it listens hears nothing more."""
    world.user("tara")
    job = started(world, "tara")
    token = world.new_token("tara")

    with world.client(token).stream("GET", "/api/jobs/events") as answer:
        told = events(answer)
        next(told)
        world.client(token).post("/api/auth/logout")
        world.system.jobs.beat(job.job_id, job.attempt, [{"name": "clip", "done": 1}])
        after = list(told)

    assert after == []


def test_streams_that_are_left_are_looked_after_no_more(world: World) -> None:
    """When the last listener is gone, nobody looks at the store for it."""
    assert world.app
    feed = world.app.state.feed
    with world.as_user("ann").stream("GET", "/api/jobs/events") as answer:
        told = events(answer)
        next(told)
        assert feed.listeners >= 1

    world.until(lambda: feed.listeners == 0)
    world.until(lambda: feed.resting)


def test_many_listen_at_once(world: World) -> None:
    """Twenty streams of two users, one change each: everybody hears of their own job."""
    world.user("uma"), world.user("vera")
    jobs = {name: started(world, name) for name in ("uma", "vera")}
    heard: list[tuple[str, str]] = []

    def listen(name: str) -> None:
        with world.as_user(name).stream("GET", "/api/jobs/events") as answer:
            told = events(answer)
            next(told)
            ready.release()
            heard.append((name, next(told)[1]["job_id"]))

    ready = threading.Semaphore(0)
    threads = [threading.Thread(target=listen, args=(name,)) for name in ("uma", "vera") * 10]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert ready.acquire(timeout=20)
    for job in jobs.values():
        world.system.jobs.beat(job.job_id, job.attempt, [{"name": "clip", "done": 1}])
    for thread in threads:
        thread.join(20)

    assert sorted(heard) == sorted([(name, job.job_id) for name, job in jobs.items()] * 10)


def test_an_old_job_that_ends_is_looked_at(fresh: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many were asked for since: its end is among the last ends."""
    monkeypatch.setattr(module, "NEWEST", 2)
    old = started(fresh, "ann")
    for _ in range(3):
        fresh.clock.advance(seconds=1)
        newer = started(fresh, "ann")
        fresh.system.jobs.finish(newer.job_id, newer.attempt, "done")
    fresh.clock.advance(seconds=1)

    fresh.system.jobs.finish(old.job_id, old.attempt, "done")

    assert {job.job_id: job.state for job in module.looked_at(fresh.deps)}[old.job_id] == "done"
