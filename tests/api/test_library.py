"""The sums of a library, and its owner's choices."""

from datetime import timedelta

from api.library import stats
from cluster.store.schema import rows_of
from tests.api.standins import MODEL
from tests.api.world import NOON, World


def test_an_empty_library_has_sums_too(world: World) -> None:
    """All zero, no days."""
    world.user("nobody-yet")

    told = world.as_user("nobody-yet").get("/api/library/stats").json()

    assert {told[name] for name in ("photos", "images", "videos", "files", "size", "faces", "places", "days")} == {0}
    assert told["first_day"] is None


def test_sums_count_what_is_there(world: World) -> None:
    """Kinds, places, days, bytes; missing photos apart; stages over photos that have a preview."""
    world.user("otto")
    world.photo("otto", "a.jpg", b"12345", place="Oslo", country="Norway")
    world.photo("otto", "b.jpg", b"123", place="Oslo", country="Norway", clip_rev="an older model")
    world.photo("otto", "c.dng", kind="raw", taken_at=NOON + timedelta(days=2), place="Bergen", country="Norway")
    world.photo("otto", "d.mp4", kind="video", clip_error="It is black.")
    world.photo("otto", "e.jpg", media_error="It is truncated.", clip_rev="")
    world.photo("otto", "f.jpg", missing=True)
    library = world.library("otto")
    failed = {
        "file_id": "f" * 32, "source": "folder", "path": b"x", "name": "x", "size": 7, "state": "failed",
        "error": "It is empty.", "seen_at": NOON,
    }  # fmt: skip
    library.files.upsert(rows_of([failed], library.files.schema))

    told = world.as_user("otto").get("/api/library/stats").json()

    assert (told["photos"], told["images"], told["raws"], told["videos"], told["missing"]) == (5, 3, 1, 1, 1)
    assert (told["files"], told["failed_files"]) == (7, 1)
    assert (told["places"], told["countries"]) == (2, 1)
    assert (told["days"], told["first_day"], told["last_day"]) == (2, "2024-05-17", "2024-05-19")
    stages = {stage.pop("name"): stage for stage in told["stages"]}
    assert stages["media"] == {"done": 4, "failed": 1, "pending": 0}
    assert stages["clip"] == {"done": 2, "failed": 1, "pending": 1}
    assert stages["tags"] == {"done": 0, "failed": 0, "pending": 4}


def test_pending_is_what_the_store_says_is_pending(world: World) -> None:
    """The API's sum and the scan's own query agree."""
    world.user("paul")
    for number, revision in enumerate(["", MODEL, "older", MODEL]):
        world.photo("paul", f"{number}.jpg", clip_rev=revision)
    library = world.library("paul")

    sums = {stage.name: stage for stage in stats(library, {"clip": MODEL}).stages}

    assert sums["clip"].pending == library.photos.pending_counts({"clip": MODEL})["clip"] == 2


def test_how_sure_training_must_be_is_ones_own_choice(world: World) -> None:
    """Between a half and nearly one; for one's own library."""
    world.user("wanda")
    me, ben = world.as_user("wanda"), world.as_user("ben")
    assert me.get("/api/library/confidence").json() == {"confidence": 0.9}

    assert me.put("/api/library/confidence", json={"confidence": 0.75}).json() == {"confidence": 0.75}

    assert me.get("/api/library/confidence").json() == {"confidence": 0.75}
    assert world.library("wanda").confidence == 0.75
    assert ben.get("/api/library/confidence").json() == {"confidence": 0.9}
    for wrong in (0.49, 1, None):
        assert me.put("/api/library/confidence", json={"confidence": wrong}).status_code == 400
    assert world.library("wanda").confidence == 0.75
