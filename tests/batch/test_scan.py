"""The sample library, scanned through a real Ray job: every number and name is what the sample library says it is."""

import os
from collections import Counter
from collections.abc import Callable

import pytest

from api.local_search import found
from cluster.store.jobs import Job
from tests.batch.conftest import fingerprint
from tests.conftest import Household, same_library, vectors_of
from tests.sample_library import SampleLibrary


@pytest.fixture(scope="session")
def photos(home: Household, job: Job) -> dict[str, dict]:
    """The rows of `photos` by the main file's path, as Python spells paths."""
    paths = {row["file_id"]: os.fsdecode(row["path"]) for row in home.library.files.rows().to_pylist()}
    return {paths[row["main_file_id"]]: row for row in home.library.photos.rows().to_pylist()}


def test_every_listed_file_is_committed_failed_or_skipped(job: Job, sample: SampleLibrary):
    """The account of a scan adds up, and is the sample library's."""
    counts = {name: job.counts[name] for name in ("listed", "committed", "failed", "skipped")}

    assert job.state == "done", job.error
    assert counts == {name: sample.counts[name] for name in counts}
    assert job.counts["skipped_by"] == dict(Counter(sample.skipped.values()))


def test_the_photos_are_those_of_the_sample_library(photos: dict[str, dict], sample: SampleLibrary):
    """Variants, sidecars and copies are part of one photo, and nothing is there twice."""
    assert sorted(photos) == sorted(photo.main for photo in sample.photos)
    assert {name: row["variants"] for name, row in photos.items()} == {
        photo.main: len(photo.files) for photo in sample.photos
    }


def test_metadata_is_what_the_files_say(photos: dict[str, dict], sample: SampleLibrary):
    """Times with their source, cameras, sizes, orientation, coordinates, ratings and flags arrive in the rows."""
    for photo in sample.photos:
        row = photos[photo.main]
        found = (row["kind"], row["width"], row["height"], row["taken_source"], row["orientation"], tuple(row["flags"]))
        wanted = (photo.kind, photo.width, photo.height, photo.taken_source, photo.orientation, photo.flags)
        assert found == wanted, photo.main
        assert row["taken_at"] == photo.taken_at, photo.main
        assert row["camera_model"] == (photo.camera.model if photo.camera else ""), photo.main
        assert row["latitude"] == (pytest.approx(photo.latitude, abs=1e-4) if photo.latitude else None), photo.main
        assert row["live_id"] == photo.live_id, photo.main
        if photo.sidecar:
            assert row["rating"] == photo.sidecar.rating, photo.main
            assert {region["name"] for region in row["regions"]} == {one.name for one in photo.sidecar.regions}


def test_places_are_named_offline(photos: dict[str, dict], sample: SampleLibrary):
    """Coordinates become place, county, state and country."""
    for photo in sample.photos:
        if photo.place:
            row = photos[photo.main]
            found = tuple(row[name] for name in ("place", "county", "state", "country", "country_code"))
            place = photo.place
            assert found == (place.name, place.county, place.state, place.country, place.country_code), photo.main


def test_failures_are_rows_with_a_sentence(home: Household, job: Job, sample: SampleLibrary):
    """A file that cannot be read says why, in the job's errors and in its own row."""
    errors = home.library.errors.of_job(job.job_id, limit=100).to_pylist()
    failed = {row["name"]: row for row in home.library.files.rows().to_pylist() if row["state"] == "failed"}

    assert {error["name"] for error in errors} == set(sample.failed) == set(failed)
    assert all(len(error["reason"].split()) > 3 for error in errors)


def test_nearly_all_faces_of_the_orl_people_are_found(photos: dict[str, dict], sample: SampleLibrary):
    """At least 95 of 100 portraits have their face."""
    portraits = [photo.main for photo in sample.photos if photo.people]
    found = sum(min(photos[main]["face_count"], len(sample.photo(main).people)) for main in portraits)

    assert found >= 0.95 * sample.counts["faces"]


def test_every_photo_has_a_vector_and_every_face_too(home: Household, photos: dict[str, dict]):
    """One unit vector a photo, one a face, in the tables of their models."""
    vectors = vectors_of(home.library)
    faces = home.library.faces.rows(columns=["face_id"])["face_id"].to_pylist()

    assert set(vectors["embedded:clip@1"]) == {row["photo_id"] for row in photos.values()}
    assert set(vectors["embedded:dlib-resnet@1"]) == set(faces)
    assert len(faces) == sum(row["face_count"] for row in photos.values())
    assert all(abs(float(v @ v) - 1) < 1e-3 for found in vectors.values() for v in found.values())


def test_text_in_pictures_is_read(photos: dict[str, dict], sample: SampleLibrary):
    """OCR's words are in the row and in what is searched."""
    for main, words in sample.text.items():
        assert words.lower() in " ".join(photos[main]["ocr"].lower().split())
        assert photos[main]["ocr"] in photos[main]["search_text"]


def test_every_photo_has_its_derived_pictures(home: Household, photos: dict[str, dict]):
    """Preview and thumbnails lie under the content id, and no unfinished file lies beside them."""
    derived = home.brightroom.settings.derived / home.user_id
    files = {path.name for path in derived.rglob("*") if path.is_file()}
    sizes = ("preview.jpg", "big.webp", "square.webp", "small.webp")

    assert files == {f"{row['content_id']}.{size}" for row in photos.values() for size in sizes}


def test_a_second_scan_changes_nothing(home: Household, job: Job):
    """The rows and the tables' versions stay; every file is skipped as unchanged or failed as before."""
    library = home.library
    before = {table.name: table.version for table in (library.files, library.photos, library.faces)}

    again = home.scan()

    library = home.library
    assert {table.name: table.version for table in (library.files, library.photos, library.faces)} == before
    assert (again.counts["committed"], again.counts["failed"]) == (0, job.counts["failed"])
    assert again.counts["listed"] == job.counts["listed"]


def test_originals_are_never_written(sample: SampleLibrary, originals: str, job: Job):
    """Bytes, times and modes of every original are as before the scan."""
    assert fingerprint(sample.folder) == originals


def test_actors_of_the_scan_itself_find_the_same_as_services(
    few: Callable[..., Household], sample: SampleLibrary, monkeypatch: pytest.MonkeyPatch
):
    """`scan.inference: actors` writes the same rows as `serve`."""
    mains = [photo.main for photo in sample.photos[:6]]
    served, own = few(*mains), few(*mains)
    served.scan()

    monkeypatch.setenv("BRIGHTROOM_SCAN__INFERENCE", "actors")  # a job's process reads it when it starts
    own.scan()

    same_library(served.library, own.library)


def test_each_query_finds_its_photo_first(home: Household, job: Job, sample: SampleLibrary):
    """By what the picture shows and by words, fused."""
    for query, main in sample.queries.items():
        assert found(home.brightroom.settings, home.library, query, 3)[0]["name"] == main


def test_photos_like_a_portrait_are_mostly_of_the_same_person(
    home: Household, photos: dict[str, dict], sample: SampleLibrary
):
    """Of the four nearest to each portrait of one person, more than two thirds show that person."""
    person = {photos[photo.main]["photo_id"]: photo.people[0] for photo in sample.photos if len(photo.people) == 1}
    vectors = vectors_of(home.library)["embedded:clip@1"]
    same = [
        person.get(near) == person[photo_id]
        for photo_id in person
        for near in nearest(home, vectors[photo_id].tolist(), photo_id)
    ]

    assert len(same) > 200
    assert sum(same) / len(same) > 2 / 3


def nearest(home: Household, vector: list[float], photo_id: str) -> list[str]:
    """The four photos nearest to one, without itself."""
    hits = home.library.nearest("embedded:clip@1", vector, 5)
    return [near for near, _, _ in hits if near != photo_id][:4]
