"""The trash over HTTP: its pages, whose deletion put what there, and putting photos back."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from batch.deletion import delete_missing
from batch.guard import Guard
from cluster.store.writer import Writer
from tests.api.world import World


def deleted(world: World, owner: str, job: str, *names: str, **columns: Any) -> list[str]:
    """Photos whose files are gone, deleted by a job; returns their ids."""
    photos = [world.photo(owner, name, **columns) for name in names]
    user, library = world.users[owner], world.library(owner)
    for name in names:
        (Path(user.scan_directory) / name).unlink()
    guard = Guard(library, os.fsencode(user.scan_directory), world.settings.scan.vanish_share)
    Path(user.scan_directory, ".brightroom").write_text(guard.name_library())
    writer = Writer(library, world.settings.store)
    delete_missing(world.settings, library, writer, Path(user.scan_directory), job, user.user_id, confirm=len(names))
    return photos


def listed(client: httpx.Client, **params: Any) -> list[dict[str, Any]]:
    """All that is in the trash, page by page."""
    found, cursor = [], ""
    while True:
        page = client.get("/api/trash", params={**params, "cursor": cursor}).json()
        assert len(page["photos"]) <= params.get("limit", 100)
        found += page["photos"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def restore(client: httpx.Client, **body: Any) -> int:
    """How many photos were put back."""
    answer = client.post("/api/trash/restore", json=body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["photos"])


def test_the_trash_is_paged_and_says_who_deleted_what_and_until_when_it_can_be_undone(world: World) -> None:
    """Every photo comes once, last deleted first, under its job."""
    user = world.user("tess")
    first = deleted(world, "tess", "job-1", "a.jpg", "b.jpg", "c.jpg")
    then = deleted(world, "tess", "job-2", "d.jpg", "e.jpg")
    client = world.as_user("tess")
    world.until(lambda: len(listed(client)) == 5)

    pages, actions = listed(client, limit=2), client.get("/api/trash/actions").json()["actions"]

    assert [one["photo_id"] for one in pages] == [*sorted(then, reverse=True), *sorted(first, reverse=True)]
    assert {one["name"] for one in pages} == {"a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"}
    assert {one["deleted_by"] for one in pages} == {user.user_id}
    for one in pages:
        kept = datetime.fromisoformat(one["purged_after"]) - datetime.fromisoformat(one["deleted_at"])
        assert kept == timedelta(days=30)
    assert [(one["action_id"], one["photos"]) for one in actions] == [("job-2", 2), ("job-1", 3)]


def test_what_is_in_the_trash_can_be_looked_at(world: World) -> None:
    """By its owner, as long as its pictures are there."""
    world.user("thea")
    (seen,) = deleted(world, "thea", "job-1", "seen.jpg", derived_bytes=100)
    (unseen,) = deleted(world, "thea", "job-2", "unseen.jpg")
    client = world.as_user("thea")
    world.until(lambda: len(listed(client)) == 2)

    pictures = {one["photo_id"]: one["thumbnails"] for one in listed(client)}
    shown = client.get(pictures[seen]["big"])
    assert (shown.content, shown.headers["content-type"]) == (f"big of {seen}".encode(), "image/webp")
    assert pictures[unseen] == {}
    assert client.get(f"/api/trash/{'0' * 32}/thumbnail/big").status_code == 404
    assert world.as_user("ann").get(pictures[seen]["big"]).status_code == 404


def test_photos_come_back_one_by_one_by_job_and_all_at_once(world: World) -> None:
    """What came back is in the library again; asked for twice it is there already."""
    world.user("theo")
    a, b, c = deleted(world, "theo", "job-1", "a.jpg", "b.jpg", "c.jpg")
    deleted(world, "theo", "job-2", "d.jpg")
    deleted(world, "theo", "job-3", "e.jpg")
    client = world.as_user("theo")

    assert restore(client, photo_ids=[a, "0" * 32]) == 1
    assert restore(client, photo_ids=[a]) == 0
    assert restore(client, action_id="job-1") == 2
    assert restore(client, all=True) == 2
    assert restore(client, all=True) == restore(client, action_id="no such job") == 0

    world.until(lambda: listed(client) == [])
    missing = client.get("/api/photos", params={"missing": True}).json()["photos"]
    assert {one["name"] for one in missing} == {"a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"}
    assert {a, b, c} <= {one["photo_id"] for one in missing}


@pytest.mark.parametrize(
    "body",
    [
        {}, {"all": False}, {"photo_ids": []}, {"photo_ids": ["x"], "all": True},
        {"action_id": "x", "photo_ids": ["y"]}, {"photo_ids": ["x" * 65]}, {"photo_ids": ["x"] * 1001},
        {"photo_ids": [None]}, {"every": True}, [], None,
    ],
)  # fmt: skip
def test_a_request_that_does_not_say_just_one_thing_is_refused(world: World, body: Any) -> None:
    """400, and nothing comes back."""
    answer = world.as_user("ann").post("/api/trash/restore", json=body)

    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("cursor", ["x", "WzEsMl0", "WyIyMDI0LTAxLTAxVDAwOjAwOjAwIiwgIngiXQ", "_" * 400])
def test_a_cursor_that_is_none_of_ours_is_refused(world: World, cursor: str) -> None:
    """Also one of a time without a zone."""
    assert world.as_user("ann").get("/api/trash", params={"cursor": cursor}).status_code == 400


def test_nobody_sees_or_empties_anothers_trash(world: World) -> None:
    """Other users, and administrators, have their own."""
    world.user("tina")
    photos = deleted(world, "tina", "job-1", "a.jpg")

    for other in ("ben", "root"):
        client = world.as_user(other)
        assert listed(client) == []
        assert client.get("/api/trash/actions").json() == {"actions": []}
        for body in ({"photo_ids": photos}, {"action_id": "job-1"}, {"all": True}):
            assert restore(client, **body) == 0
    world.until(lambda: len(listed(world.as_user("tina"))) == 1)
