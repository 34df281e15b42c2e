"""A new caption for one photo over real HTTP: what the captioner is told, what is kept of it, and when it cannot be."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import simplejpeg
import skimage.data

from batch.work import pending
from cluster.store.schema import changes_of
from serve_apps.media.addresses import derived_path
from serve_apps.models.protocol import Caption, CaptionRequest
from tests.api.standins import MODEL
from tests.api.world import World, answering, build

CAPTIONER = "test-captioner@1"
REVISIONS = {"clip": MODEL, "caption": CAPTIONER}
PREVIEW = simplejpeg.encode_jpeg(skimage.data.chelsea(), quality=80)
KNOWN: dict[str, Any] = {
    "tags": ["cat", "sofa"], "tag_scores": [0.9, 0.5], "caption": "an old sentence", "caption_by": "template",
    "place": "Kyoto", "country": "Japan", "taken_at": datetime(2024, 5, 17, 22, tzinfo=UTC), "taken_offset_min": 540,
    "regions": [{"name": "Jane Doe", "left": 0.1, "top": 0.1, "right": 0.2, "bottom": 0.2}],
}  # fmt: skip


class Listening:
    """The captioner of the stand-ins, noting what it was told; `meanwhile` happens while it thinks."""

    def __init__(self, world: World) -> None:
        self._world, self._answers = world, world.models.caption
        self.told: list[CaptionRequest] = []
        self.meanwhile: Callable[[], None] = lambda: None

    async def __call__(self, request: CaptionRequest) -> Caption:
        self.told.append(request)
        self.meanwhile()
        return await self._answers(request)


@pytest.fixture(scope="module")
def captioned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world of two users whose captioner has a revision."""
    made = build(tmp_path_factory.mktemp("captioned"))
    made.deps = dataclasses.replace(made.deps, revisions=lambda: REVISIONS)
    for name in ("ann", "ben"):
        made.user(name)
    with answering(made):
        yield made


@pytest.fixture
def changing() -> Iterator[dict[str, str]]:
    """The revisions, as they are again after a test that changes them."""
    before = dict(REVISIONS)
    yield REVISIONS
    REVISIONS.update(before)


@pytest.fixture
def captioner(captioned: World) -> Listening:
    """What the captioner hears in this test."""
    captioned.models.caption = listening = Listening(captioned)  # type: ignore[method-assign]
    return listening


def preview(world: World, owner: str, photo_id: str) -> Path:
    """Where a photo's preview is."""
    return derived_path(world.settings.derived / world.users[owner].user_id, photo_id, "preview")


def photo(world: World, owner: str, name: str, **columns: Any) -> str:
    """A photo with a preview that can be looked at."""
    photo_id = world.photo(owner, name, **{**KNOWN, **columns})
    preview(world, owner, photo_id).write_bytes(PREVIEW)
    return photo_id


def ask(client: httpx.Client, photo_id: str) -> httpx.Response:
    """The answer to the wish for a caption."""
    return client.post(f"/api/photos/{photo_id}/caption")


def row(world: World, owner: str, photo_id: str) -> dict[str, Any]:
    """A photo's row."""
    found = world.library(owner).photos.get(photo_id)
    assert found
    return found


def test_a_caption_is_made_kept_and_answered_with_who_made_it(captioned: World, captioner: Listening) -> None:
    """The photo's page shows it, and the search for words finds it."""
    photo_id = photo(captioned, "ann", "one.jpg")
    me = captioned.as_user("ann")

    answer = ask(me, photo_id)

    sentence = "451 pixels of cat, sofa"
    assert answer.status_code == 200
    assert answer.json() == {"photo_id": photo_id, "caption": sentence, "caption_by": "test-captioner"}
    shown = me.get(f"/api/photos/{photo_id}").json()
    assert (shown["photo"]["caption"], shown["caption_by"]) == (sentence, "test-captioner")
    assert me.get("/api/search", params={"q": "pixels"}).json()["hits"][0]["photo"]["photo_id"] == photo_id
    assert "old" not in row(captioned, "ann", photo_id)["search_text"]
    assert {"cat", "Kyoto", "Jane Doe"} <= set(row(captioned, "ann", photo_id)["search_text"].split("\n"))


def test_the_captioner_is_told_what_is_known(captioned: World, captioner: Listening) -> None:
    """Tags, people, place and the time by the clock of the place, with the preview at the size that models see."""
    ask(captioned.as_user("ann"), photo(captioned, "ann", "two.jpg"))

    told = captioner.told[0]
    assert told.image is not None
    assert told.image.shape == (300, 451, 3)
    assert (told.tags, told.people, told.place) == (["cat", "sofa"], ["Jane Doe"], "Kyoto, Japan")
    assert told.taken_at == datetime(2024, 5, 18, 7, tzinfo=UTC)


def test_a_later_scan_leaves_the_caption_alone(captioned: World, captioner: Listening) -> None:
    """The ledger says that the stage is done, also where it was pending or had failed; other columns stay."""
    photo_id = photo(captioned, "ann", "three.jpg", caption_rev="", caption_error="it failed", ocr="EXIT", rating=4)
    before = row(captioned, "ann", photo_id)
    photos = captioned.library("ann").photos
    assert photo_id in pending(photos, {"caption": CAPTIONER}).photo_ids

    ask(captioned.as_user("ann"), photo_id)

    assert photo_id not in pending(photos, {"caption": CAPTIONER}).photo_ids
    assert photo_id in pending(photos, {"caption": "another@2"}).photo_ids
    after = row(captioned, "ann", photo_id)
    changed = {name for name, value in after.items() if value != before[name]}
    assert changed == {"caption", "caption_by", "caption_rev", "caption_error", "search_text", "changed_at"}


def test_nobody_and_another_user_get_no_caption(captioned: World, captioner: Listening) -> None:
    """401 and 404; the captioner is not asked, and nothing changes."""
    photo_id = photo(captioned, "ann", "four.jpg")

    assert ask(captioned.client(), photo_id).status_code == 401
    assert ask(captioned.as_user("ben"), photo_id).status_code == 404
    assert ask(captioned.as_user("ben"), "no-such-photo").status_code == 404

    assert captioner.told == []
    assert row(captioned, "ann", photo_id)["caption"] == "an old sentence"


def test_the_same_picture_in_two_libraries_is_two_photos(captioned: World, captioner: Listening) -> None:
    """A caption goes to the photo of the one who asked."""
    anns, bens = photo(captioned, "ann", "five.jpg"), photo(captioned, "ben", "five.jpg")

    ask(captioned.as_user("ben"), bens)

    assert row(captioned, "ann", anns)["caption"] == "an old sentence"
    assert row(captioned, "ben", bens)["caption"] != "an old sentence"


@pytest.mark.parametrize("data", [None, b"", b"<html>", PREVIEW[:2000]], ids=["none", "empty", "no picture", "cut off"])
def test_without_a_preview_there_is_none(captioned: World, captioner: Listening, data: bytes | None) -> None:
    """409, saying what to do."""
    photo_id = photo(captioned, "ann", f"six-{data!r:.6}.jpg")
    place = preview(captioned, "ann", photo_id)
    place.unlink()
    if data is not None:
        place.write_bytes(data)

    answer = ask(captioned.as_user("ann"), photo_id)

    assert answer.status_code == 409
    assert "rescan it" in answer.json()["detail"]
    assert str(captioned.root) not in answer.text
    assert captioner.told == []


def test_a_stopped_captioner_is_told_with_how_to_start_it(captioned: World, captioner: Listening) -> None:
    """503, and the old caption stays."""
    photo_id = photo(captioned, "ann", "seven.jpg")
    captioned.models.down.add("image_captioning")
    try:
        answer = ask(captioned.as_user("ann"), photo_id)
    finally:
        captioned.models.down.clear()

    assert answer.status_code == 503
    assert "start-service image_captioning" in answer.json()["detail"]
    assert row(captioned, "ann", photo_id)["caption"] == "an old sentence"


def test_words_that_a_scan_finds_meanwhile_are_not_lost(captioned: World, captioner: Listening) -> None:
    """Search text is made of the photo as it is when the caption is there."""
    photo_id = photo(captioned, "ann", "eight.jpg")
    captioner.meanwhile = lambda: update(captioned, photo_id, ocr="MIND THE GAP")

    ask(captioned.as_user("ann"), photo_id)

    assert "MIND THE GAP" in row(captioned, "ann", photo_id)["search_text"]


def test_a_caption_of_a_model_that_was_changed_meanwhile_is_made_anew_by_a_scan(
    captioned: World, captioner: Listening, changing: dict[str, str]
) -> None:
    """The ledger does not say that the new model made what the old one did."""
    photo_id = photo(captioned, "ann", "ten.jpg")
    captioner.meanwhile = lambda: changing.update(caption="another@2")

    assert ask(captioned.as_user("ann"), photo_id).status_code == 200

    assert row(captioned, "ann", photo_id)["caption_rev"] == CAPTIONER
    assert photo_id in pending(captioned.library("ann").photos, {"caption": "another@2"}).photo_ids


def test_a_photo_that_became_another_picture_meanwhile_keeps_its_own_words(
    captioned: World, captioner: Listening
) -> None:
    """409: the sentence is of the old picture."""
    photo_id = photo(captioned, "ann", "nine.jpg")
    captioner.meanwhile = lambda: update(captioned, photo_id, content_id="f" * 32, caption="of the new one")

    answer = ask(captioned.as_user("ann"), photo_id)

    assert answer.status_code == 409
    assert row(captioned, "ann", photo_id)["caption"] == "of the new one"


def update(world: World, photo_id: str, **columns: Any) -> None:
    """Change a photo of Ann's, as a scan would."""
    photos = world.library("ann").photos
    photos.update(changes_of([{"photo_id": photo_id, **columns}], photos.schema))
