"""What was read and computed, as rows."""

from typing import Any

import msgspec
import pytest

from batch.rows import ANALYSES, FOUND, face_rows, fresh_ledger, media_again, search_text, standing_row, variant_columns
from batch.variants import SIDECAR
from serve_apps.models.protocol import DetectedFace

PHOTO: dict[str, Any] = {
    "photo_id": "p", "main_file_id": "f1", "content_id": "c", "name": "2024/06_june/IMG-1.jpg", "title": "",
    "caption": "", "tags": [], "keywords": [], "ocr": "", "regions": [], "place": "", "county": "", "state": "",
    "country": "", "country_code": "", "has_live": False, "live_id": "",
}  # fmt: skip
ANALYSED: dict[str, Any] = {
    **{f"{stage}_rev": "model@1" for stage in ANALYSES}, **{f"{stage}_error": "" for stage in ANALYSES},
    "tags": ["cat"], "tag_scores": [0.9], "caption": "A cat.", "caption_by": "template", "ocr": "EXIT", "face_count": 1,
}  # fmt: skip


def file(name: str, kind: str = "image", state: str = "ok", content: str = "c") -> dict[str, Any]:
    """A row of `files`."""
    path = name.encode()
    return {"file_id": f"id of {name}", "path": path, "name": name, "kind": kind, "state": state, "content_id": content}


def test_everything_that_is_known_of_a_photo_is_searched() -> None:
    """Each on a line of its own; the path as words; the country by its name only."""
    known = {
        "title": "Birthday", "caption": "A cake.", "tags": ["cake"], "keywords": ["party"], "ocr": "HAPPY\n40",
        "regions": [{"name": "Ada"}, {"name": ""}], "place": "Kyoto", "country": "Japan", "country_code": "JP",
    }  # fmt: skip

    assert search_text({**PHOTO, **known}, names=["Grace"]).split("\n") == [
        "Birthday", "A cake.", "cake", "party", "HAPPY", "40", "Ada", "Kyoto", "Japan", "2024 06 june IMG 1 jpg",
        "Grace",
    ]  # fmt: skip


def test_a_photo_of_which_nothing_is_known_is_searched_by_its_name() -> None:
    """Also where lists were never filled in."""
    assert search_text({**PHOTO, "keywords": None, "regions": None}) == "2024 06 june IMG 1 jpg"


@pytest.mark.parametrize(
    ("files", "variants", "raw", "live"),
    [
        ([], 0, False, False),
        ([file("a.jpg")], 1, False, False),
        ([file("a.jpg"), file("a.nef", "raw")], 2, True, False),
        ([file("a.heic"), file("a.mov", "video")], 2, False, True),
        ([file("a.mov", "video")], 1, False, False),
        ([file("a.jpg"), file("a.nef", "raw", "missing"), file("a.mov", "video", "failed")], 1, False, False),
    ],
)
def test_only_files_that_are_there_and_readable_are_variants(
    files: list[dict[str, Any]], variants: int, raw: bool, live: bool
) -> None:
    """A live photo is a still picture with a moving one."""
    assert variant_columns(files) == {"variants": variants, "has_raw": raw, "has_live": live}


def test_the_first_file_with_the_photos_content_speaks_for_it() -> None:
    """By path; neither one with other content, nor one that is gone or unreadable."""
    files = [
        file("e.jpg"), file("d.jpg"), file("c.jpg", content="other"), file("b.jpg", state="failed"),
        file("a.jpg", state="missing"),
    ]  # fmt: skip

    row = standing_row(PHOTO, files)

    assert (row["main_file_id"], row["name"], row["missing"]) == ("id of d.jpg", "d.jpg", False)


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ([], True),
        ([file("a.jpg", state="missing"), file("a.xmp", SIDECAR)], True),
        ([file("a.jpg", state="failed")], False),
        ([file("a.jpg", content="other")], False),
    ],
)
def test_a_photo_is_missing_when_none_of_its_pictures_is_there(files: list[dict[str, Any]], missing: bool) -> None:
    """A sidecar alone is no photo; a file that cannot be read is there; the name that was stays."""
    row = standing_row(PHOTO, files)

    assert row["missing"] is missing
    assert (row["main_file_id"], row["name"]) == (PHOTO["main_file_id"], PHOTO["name"])


def test_the_same_content_read_again_keeps_what_was_found() -> None:
    """The row says nothing of it, so the store's columns stay; search looks into old and new together."""
    again = media_again({**PHOTO, **ANALYSED}, {**media(), "title": "New title"})

    assert not set(again) & {*FOUND, *(f"{stage}_rev" for stage in ANALYSES)}
    assert {"New title", "A cat.", "EXIT"} <= set(again["search_text"].split("\n"))


def test_new_content_is_analysed_anew() -> None:
    """Nothing of the old picture is found any more."""
    again = media_again({**PHOTO, **ANALYSED}, {**media(), "content_id": "edited"})

    assert {name: again[name] for name in fresh_ledger()} == fresh_ledger()
    assert "cat" not in again["search_text"].lower()


@pytest.mark.parametrize(
    ("has_live", "read", "kept"), [(True, "", "pair"), (True, "new pair", "new pair"), (False, "", "")]
)
def test_a_live_photo_keeps_its_pair_when_only_the_still_was_read(has_live: bool, read: str, kept: str) -> None:
    """Unless the video is gone, or says another."""
    again = media_again({**PHOTO, **ANALYSED, "live_id": "pair"}, {**media(), "has_live": has_live, "live_id": read})

    assert again["live_id"] == kept


def media() -> dict[str, Any]:
    """What reading a photo's files again says of it, which is nothing of what models found."""
    return {name: value for name, value in PHOTO.items() if name not in FOUND}


def test_faces_are_rows_with_their_vectors_in_the_detectors_order() -> None:
    """Without ids, which depend on what was there before; boxes by their edges, landmarks as ten numbers."""
    points = tuple((n / 10, n / 20) for n in range(5))
    found = [DetectedFace((0.1, 0.2, 0.3, 0.4), score, points, [score, 1 - score]) for score in (0.99, 0.96)]

    faces = face_rows(msgspec.msgpack.encode(found), "faces@1")

    assert [row["score"] for row in faces] == [0.99, 0.96]
    assert [faces[0][edge] for edge in ("left", "top", "right", "bottom")] == [0.1, 0.2, 0.3, 0.4]
    assert faces[0]["landmarks"] == [axis for point in points for axis in point]
    assert {row["model"] for row in faces} == {"faces@1"}
    assert [row["vector"] for row in faces] == [face.embedding for face in found]
    assert face_rows(msgspec.msgpack.encode([]), "faces@1") == []
