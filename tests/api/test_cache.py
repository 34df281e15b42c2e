"""What `brightroom clear-cache` deletes: pictures that no photo shows, and none that a scan has just made; or all
that can be made again, and none that is all that is left of a photo.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lancedb.expr import lit

from api.cache import BEREFT, SHOWN, Cache, cache, clear
from cluster.settings import RaySettings, Settings, StoreSettings
from cluster.store.database import System, open_library, open_system
from cluster.store.schema import rows_of
from cluster.store.storage import storage
from cluster.store.users import User
from serve_apps.media.addresses import EXTENSIONS, derived_path
from tests.batch.bench_of_one import OWNER, Bench

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


def cleared(settings: Settings, everything: bool = False) -> Cache:
    """Clear; what was found."""
    found = cache(settings, everything)
    clear(settings, found.freed)
    return found


def test_a_picture_that_no_photo_shows_goes_and_the_others_stay(settings: Settings, owner: User):
    """Whatever it is called after the content it is of."""
    cleared(settings)

    assert pictures(settings) == ["aa1.small.webp"]


@pytest.mark.parametrize("state", ["queued", "running"])
def test_nothing_goes_while_a_scan_is_under_way(settings: Settings, system: System, owner: User, state: str):
    """The picture is of a photo that it is about to commit; when it has ended, the next time takes what is left."""
    settings = settings.model_copy(update={"ray": RaySettings(address="somewhere:6379")})  # a cluster that may run it
    job = system.jobs.create(owner.user_id, "scan", {})
    if state == "running":
        job = system.jobs.start(job.job_id)

    cleared(settings)
    assert pictures(settings) == ["aa1.small.webp", "bb2.small.webp"]

    system.jobs.finish(job.job_id, job.attempt, "done")
    cleared(settings)
    assert pictures(settings) == ["aa1.small.webp"]


@pytest.fixture
def scanned(tmp_path: Path) -> Iterator[Bench]:
    """A scanned folder of three pictures, whose owner is a user."""
    bench = Bench(tmp_path)
    for number, name in enumerate(("here.jpg", "gone.jpg", "edited.jpg"), 1):
        bench.photo(name, number)
    bench.scan()
    users = open_system(bench.settings).users
    user = users.create("ann", "hash", scan_directory=str(bench.folder))
    users.table.change(lit(True), {"user_id": OWNER})
    assert users.get(OWNER).name == user.name
    yield bench
    bench.close()


def made(bench: Bench, name: str) -> int:
    """How many of a photo's derived pictures are there."""
    (row,) = (row for row in bench.library.photos.rows().to_pylist() if row["name"] == name)
    paths = [derived_path(bench.settings.derived / OWNER, row["content_id"], size) for size in EXTENSIONS]
    return sum(path.exists() for path in paths)


def lose_some(bench: Bench) -> None:
    """One original is deleted, and one edited, and no scan has seen it."""
    (bench.folder / "gone.jpg").unlink()
    bench.photo("edited.jpg", 9, times=3)


def test_all_pictures_go_whose_original_is_there_and_no_others(scanned: Bench):
    """Those of a photo that is gone, or another picture by now, are all that is left of it."""
    lose_some(scanned)

    found = cleared(scanned.settings, everything=True)

    assert [made(scanned, name) for name in ("here.jpg", "gone.jpg", "edited.jpg")] == [0, 4, 4]
    assert [len(files) for files in (found.freed[SHOWN], found.kept[BEREFT])] == [4, 8]


def test_the_storage_of_a_library_is_what_is_left(scanned: Bench):
    """To the byte."""
    lose_some(scanned)
    kept = cleared(scanned.settings, everything=True).kept[BEREFT]

    assert storage(scanned.library).derived == sum(size for _, size in kept) > 0
    assert storage(scanned.library).uncounted == 0


def test_nothing_is_cleared_while_the_folder_is_away(scanned: Bench):
    """Everything is kept, and said to be."""
    scanned.folder.rename(scanned.root / "away")

    found = cleared(scanned.settings, everything=True)

    assert [len(files) for files in (found.freed[SHOWN], found.kept[BEREFT])] == [0, 12]
    assert made(scanned, "here.jpg") == 4


def test_a_look_beforehand_deletes_nothing(scanned: Bench):
    """It tells how much it would be."""
    found = cache(scanned.settings, everything=True)

    assert sum(size for _, size in found.freed[SHOWN]) == storage(scanned.library).derived
    assert [made(scanned, name) for name in ("here.jpg", "gone.jpg", "edited.jpg")] == [4, 4, 4]


def test_the_pictures_of_a_library_that_a_job_works_on_stay(scanned: Bench):
    """Whose they are is said."""
    settings = scanned.settings.model_copy(update={"ray": RaySettings(address="somewhere:6379")})
    open_system(settings).jobs.create(OWNER, "scan", {})

    assert cleared(settings, everything=True).busy == ["ann"]
    assert made(scanned, "here.jpg") == 4


def test_a_scan_after_it_has_nothing_to_do_and_analysis_makes_previews_again(scanned: Bench):
    """A picture that a model wants is made again from its original; of one that is gone the reason is told."""
    cleared(scanned.settings, everything=True)
    (scanned.folder / "gone.jpg").unlink()

    assert scanned.scan().get("photos_changed", 0) == 0
    read = scanned.previews()

    assert {name: error.split(";")[0] for name, (_, error) in read.items() if error} == {
        "gone.jpg": "the preview of this photo cannot be read (No such file or directory)"
    }
    assert made(scanned, "here.jpg") == 4
    size = sum(path.stat().st_size for path in (scanned.settings.derived / OWNER).rglob("*.*"))
    assert storage(scanned.library).derived == size


def command(bench: Bench, *words: str) -> str:
    """What the command prints, run as people run it."""
    environment = {**os.environ, "BRIGHTROOM_ROOT": str(bench.settings.root), "NO_COLOR": "1", "COLUMNS": "160"}
    ran = subprocess.run(
        [str(Path(sys.executable).with_name("brightroom")), "clear-cache", *words],
        env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return ran.stdout


def test_the_command_says_what_it_clears_and_what_it_keeps(scanned: Bench):
    """First what it would do; for people and for programs."""
    lose_some(scanned)

    foreseen: dict[str, Any] = json.loads(command(scanned, "--all", "--dry-run", "--json"))
    assert (foreseen["freed"][SHOWN]["files"], foreseen["kept"][BEREFT]["files"], foreseen["busy"]) == (4, 8, [])
    assert made(scanned, "here.jpg") == 4

    assert f"MB: {SHOWN} (4 files)" in command(scanned, "--all")
    assert [made(scanned, name) for name in ("here.jpg", "gone.jpg", "edited.jpg")] == [0, 4, 4]
