"""What the server says of its machines, of what is stored on them, and of itself."""

import platform
import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from cluster.build import Build
from cluster.errors import NewerSchema
from cluster.store.database import Library, open_library
from tests.api.world import World, answering


def bytes_below(folder: Path) -> int:
    """The sizes of the files below a folder, as they are on disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_administrators_see_machines_storage_and_ray(fresh: World) -> None:
    """Every user's share, and the sums; a user without a library takes nothing and gets none by it."""
    fresh.photo("ann", "one.jpg", derived_bytes=700)
    fresh.photo("ann", "two.jpg", derived_bytes=30)
    fresh.photo("ann", "film.mov", kind="video")
    users, libraries = fresh.users, Path(fresh.settings.store_uri, "libraries")

    told = fresh.as_user("root").get("/api/server/stats").json()

    ann = {
        "photos": 3, "videos": 1, "originals": bytes_below(fresh.root / "photos" / "ann"), "derived": 730,
        "uncounted": 1, "database": bytes_below(libraries / users["ann"].user_id),
    }  # fmt: skip
    stored = {user["name"]: user["storage"] for user in told["storage"]["users"]}
    assert stored == {"ann": ann, "root": dict.fromkeys(ann, 0)}
    assert not (libraries / users["root"].user_id).exists()
    assert (told["storage"]["originals"], told["storage"]["derived"]) == (ann["originals"], 730)
    system = told["storage"]["database"] - ann["database"]
    assert system == pytest.approx(bytes_below(Path(fresh.settings.store_uri, "system.lance-db")), rel=0.5)
    assert told["storage"]["disk"]["total"] == shutil.disk_usage(fresh.settings.root).total
    assert [(node["name"], node["answers"]) for node in told["nodes"]] == [("here", True), ("there", False)]
    assert told["ray"] == {
        "version": "2.60.0", "nodes": 2, "resources_total": {"CPU": 2.0}, "resources_available": {"CPU": 1.0},
        "object_store": {"total": 2**20, "used": 2**10},
    }  # fmt: skip


def test_a_library_that_cannot_be_read_hides_neither_the_others_nor_the_machines(fresh: World) -> None:
    """Of its user nothing is told, and the sums are of the others."""
    fresh.photo("ann", "one.jpg", derived_bytes=700)
    broken = fresh.user("ben")
    Path(fresh.settings.store_uri, "libraries", broken.user_id).mkdir(parents=True)

    def library(user_id: str) -> Library:
        if user_id == broken.user_id:
            raise NewerSchema("it was written by a newer Brightroom; update Brightroom")
        return open_library(fresh.settings, user_id)

    with answering(fresh, create_app(replace(fresh.deps, library=library))):
        told = fresh.as_user("root").get("/api/server/stats").json()

    stored = {user["name"]: user["storage"] for user in told["storage"]["users"]}
    assert stored["ben"] is None
    assert stored["ann"]["derived"] == told["storage"]["derived"] == 700
    assert [node["name"] for node in told["nodes"]] == ["here", "there"]


def test_every_user_sees_what_their_own_library_takes(fresh: World) -> None:
    """Of the disk that it is on, and of the one that the originals are on; nothing of other users."""
    fresh.user("ben")
    fresh.photo("ann", "one.jpg", derived_bytes=700)
    fresh.photo("ben", "two.jpg", derived_bytes=11)

    told = fresh.as_user("ben").get("/api/server/storage").json()

    assert set(told) == {"storage", "disk", "originals_disk"}
    assert (told["storage"]["photos"], told["storage"]["derived"]) == (1, 11)
    assert told["storage"]["originals"] == bytes_below(fresh.root / "photos" / "ben")
    assert told["disk"]["total"] == told["originals_disk"]["total"] == shutil.disk_usage(fresh.root).total
    assert told["disk"]["free"] == pytest.approx(shutil.disk_usage(fresh.root).free, abs=2**30)


def test_a_scan_directory_that_is_away_has_no_disk(fresh: World) -> None:
    """The rest is told all the same."""
    shutil.rmtree(fresh.users["ann"].scan_directory)

    told = fresh.as_user("ann").get("/api/server/storage").json()

    assert told["originals_disk"] is None
    assert told["disk"]


def test_every_user_sees_which_brightroom_this_is(fresh: World) -> None:
    """The commit and moment of its build, as they were written down, and the packages that matter."""
    build = Build("0123456789abcdef0123456789abcdef01234567", True, "2026-01-31T12:00:00+00:00")
    fresh.deps = replace(fresh.deps, build=build)

    with answering(fresh, create_app(fresh.deps)):
        told = fresh.as_user("ann").get("/api/server/version").json()
        probed = fresh.client().get("/healthz").json()["version"]

    assert (told["git_hash"], told["modified"], told["built_at"]) == (build.git_hash, True, build.built_at)
    assert (told["version"], told["python"]) == (probed, platform.python_version())
    assert told["packages"]["ray"] == version("ray")
    assert {"ray", "lancedb", "torch", "litestar"} <= set(told["packages"])


def test_what_nobody_wrote_down_is_unknown(world: World) -> None:
    """Rather than guessed."""
    told = world.as_user("ann").get("/api/server/version").json()

    assert (told["git_hash"], told["modified"], told["built_at"]) == ("unknown", False, "unknown")


def test_who_may_see_what(world: World) -> None:
    """Machines are for administrators, one's own storage and the version for everybody who is logged in."""
    paths = ("/api/server/stats", "/api/server/storage", "/api/server/version")

    def statuses(client: httpx.Client) -> list[int]:
        return [client.get(path).status_code for path in paths]

    assert statuses(world.client()) == [401, 401, 401]
    assert statuses(world.as_user("ann")) == [403, 200, 200]
    assert statuses(world.as_user("root")) == [200, 200, 200]
