"""What a scan and a training make due in the library as a whole, in whichever attempt of a job it is done."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from batch.actions import follow_up, train
from batch.progress import Progress
from cluster.store.events import Events
from cluster.store.schema import changes_of
from tests.batch.portraits import MODEL, NOW, ZOE, Portraits

JOB = "the-scan"


@pytest.fixture
def album(tmp_path: Path) -> Portraits:
    """Twelve photos of one day, with the faces of three people in them, one of whom was named just now."""
    album = Portraits(tmp_path, photos=12).fill()
    days = [{"photo_id": f"p{i}", "taken_at": NOW} for i in range(12)]
    album.library.photos.update(changes_of(days, album.library.photos.schema))
    album.naming().label(["p0-00"], name="Ada")
    return album


def tools(album: Portraits, attempt: int = 1, analysed: int = 0) -> Any:
    """What a job works with in one of its attempts, in which so many photos were looked at for faces."""
    progress = Progress()
    progress.stage("faces").advance(analysed, 0)
    return SimpleNamespace(
        in_use=SimpleNamespace(revisions={"faces": MODEL}), library=album.library,
        sink=SimpleNamespace(writer=album.writer()), reporter=SimpleNamespace(progress=progress),
        job=SimpleNamespace(job_id=JOB, attempt=attempt),
    )  # fmt: skip


def inferred(album: Portraits) -> int:
    """The faces that a training tells whose they are."""
    return album.library.faces.standings()["inferred"]


def titles(events: Events) -> list[str]:
    """The titles of all events."""
    return [row["title"] for row in events.rows().to_pylist()]


def test_a_scan_that_changes_no_face_does_not_train(album: Portraits):
    """Training is for faces that came, or that somebody named."""
    follow_up(tools(album))

    assert inferred(album) == 0


@pytest.mark.parametrize(("attempt", "analysed"), [(1, 12), (2, 0)])
def test_a_scan_trains_though_a_former_attempt_found_the_faces(album: Portraits, attempt: int, analysed: int):
    """It was paused, gave way, or was killed when all faces were found: this attempt counts none of them."""
    follow_up(tools(album, attempt, analysed))

    assert inferred(album) > 0


def test_a_name_that_came_in_a_sidecar_counts_after_the_scan(album: Portraits):
    """The photo itself did not change, so its faces are not looked for again."""
    told = [{"photo_id": "p3", "regions": [ZOE], "job_id": JOB}]
    album.library.photos.update(changes_of(told, album.library.photos.schema))

    follow_up(tools(album))

    assert {face for face in album.labeled() if face.startswith("p3")} == {"p3-00"}


def test_events_are_titled_anew_by_the_attempt_after_the_one_that_trained(album: Portraits):
    """It was killed in between: there is nothing left to train, and the titles name nobody yet."""
    follow_up(tools(album, analysed=12))
    album.naming().rename(album.library.people.list()[0].person_id, "Zenobia")
    before = titles(album.library.events)

    train(tools(album, attempt=2))

    assert not any("Zenobia" in title for title in before)
    assert any("Zenobia" in title for title in titles(album.library.events))
