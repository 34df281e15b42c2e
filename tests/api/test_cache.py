"""What `brightroom clear-cache` deletes: pictures that no photo shows, and none that a scan has just made."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.cache import clear, leftovers
from cluster.settings import RaySettings, Settings, StoreSettings
from cluster.store.database import System, open_library, open_system
from cluster.store.schema import rows_of
from cluster.store.users import User

NOW = {"added_at": datetime(2026, 1, 1, tzinfo=UTC), "changed_at": datetime(2026, 1, 1, tzinfo=UTC)}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a root of its own."""
    return Settings(root=tmp_path, store=StoreSettings(fresh_s=0))


@pytest.fixture
def system(settings: Settings) -> System:
    """A system database."""
    return open_system(settings)


@pytest.fixture
def owner(settings: Settings, system: System) -> User:
    """Somebody with a photo, whose picture is there, and a picture that no photo shows."""
    user = system.users.create("ann", "hash")
    library = open_library(settings, user.user_id)
    library.photos.upsert(rows_of([{"photo_id": "p", "content_id": "aa1", **NOW}], library.photos.schema))
    for content in ("aa1", "bb2"):
        path = settings.derived / user.user_id / content[:2] / f"{content}.small.webp"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"webp")
    return user


def pictures(settings: Settings) -> list[str]:
    """The pictures that are there."""
    return sorted(path.name for path in settings.derived.rglob("*.webp"))


def test_a_picture_that_no_photo_shows_goes_and_the_others_stay(settings: Settings, owner: User):
    """Whatever it is called after the content it is of."""
    clear(leftovers(settings))

    assert pictures(settings) == ["aa1.small.webp"]


@pytest.mark.parametrize("state", ["queued", "running"])
def test_nothing_goes_while_a_scan_is_under_way(settings: Settings, system: System, owner: User, state: str):
    """The picture is of a photo that it is about to commit; when it has ended, the next time takes what is left."""
    settings = settings.model_copy(update={"ray": RaySettings(address="somewhere:6379")})  # a cluster that may run it
    job = system.jobs.create(owner.user_id, "scan", {})
    if state == "running":
        job = system.jobs.start(job.job_id)

    clear(leftovers(settings))
    assert pictures(settings) == ["aa1.small.webp", "bb2.small.webp"]

    system.jobs.finish(job.job_id, job.attempt, "done")
    clear(leftovers(settings))
    assert pictures(settings) == ["aa1.small.webp"]
