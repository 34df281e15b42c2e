"""Captions and searches by picture on demand, over real HTTP with the real services and the library's real writer."""

from collections.abc import Callable, Iterator

import httpx
import pytest
import simplejpeg
import skimage.data

from api.http_server import serving
from api.up import Brightroom
from cluster.store.photos import SCHEMA as PHOTO_COLUMNS
from cluster.store.schema import changes_of
from cluster.store.writer import Update
from cluster.writer import RemoteWriter
from tests.conftest import Household

PHOTOS = ("chelsea", "coffee", "rocket")


def shown(name: str, quality: int = 90) -> bytes:
    """A photo inside scikit-image as a JPEG."""
    return bytes(simplejpeg.encode_jpeg(getattr(skimage.data, name)().copy(), quality=quality))


@pytest.fixture
def scanned(household: Callable[[], Household]) -> Household:
    """A household whose three photos were scanned."""
    home = household()
    for name in PHOTOS:
        (home.folder / f"{name}.jpg").write_bytes(shown(name))
    assert home.scan().state == "done"
    return home


@pytest.fixture
def me(brightroom: Brightroom, scanned: Household) -> Iterator[httpx.Client]:
    """The household's client of a server over the session's Brightroom."""
    token, _ = brightroom.system.sessions.open(scanned.user_id, "test")
    headers = {"Authorization": f"Bearer {token}"}
    with (
        serving(brightroom.application(), "127.0.0.1", 0) as server,
        httpx.Client(base_url=server.url, headers=headers, timeout=150, trust_env=False, verify=False) as client,
    ):
        yield client


def test_a_caption_is_written_by_the_service_through_the_writer_and_outlasts_a_scan(
    brightroom: Brightroom, scanned: Household, me: httpx.Client
) -> None:
    """What a person asked for takes the place of what the row said, and the next scan leaves it alone."""
    photo = next(row for row in scanned.library.photos.rows().to_pylist() if row["name"] == "coffee.jpg")
    writer = RemoteWriter(brightroom.settings, scanned.user_id)
    older = {"photo_id": photo["photo_id"], "caption": "Words of before.", "caption_by": "somebody"}
    writer.commit([Update("photos", changes_of([older], PHOTO_COLUMNS))])

    answer = me.post(f"/api/photos/{photo['photo_id']}/caption")

    assert answer.status_code == 200, answer.text
    assert answer.json() == {name: photo[name] for name in ("photo_id", "caption", "caption_by")}
    written = scanned.library.photos.get(photo["photo_id"])
    assert written
    assert written["caption"] == photo["caption"] != ""
    assert (written["caption_by"], written["caption_rev"]) == ("template", photo["caption_rev"])
    assert written["caption"] in written["search_text"]
    assert scanned.scan().state == "done"
    assert scanned.library.photos.get(photo["photo_id"]) == written


def test_a_picture_that_is_sent_finds_its_photo_first(me: httpx.Client) -> None:
    """Another coding of the same picture is nearest to it, by far."""
    for name in PHOTOS:
        answer = me.post("/api/search/image", files={"file": ("upload.jpg", shown(name, quality=60))})

        assert answer.status_code == 200, answer.text
        first, second, _ = answer.json()["hits"]
        assert first["photo"]["name"] == f"{name}.jpg"
        assert first["score"] > 0.95
        assert first["score"] - second["score"] > 0.1
