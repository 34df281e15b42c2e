"""A library of very many photos for a real server, made without a scan: a few pictures, each thousands of times."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import simplejpeg
import skimage.data

from cluster.settings import MediaSettings
from cluster.store.schema import rows_of
from serve_apps.media.box import Decoder
from serve_apps.media.protocol import Decoded
from tests.api.world import World, build

NEWEST = datetime(2026, 6, 30, 20, tzinfo=UTC)
YEARS = 20
AT_ONCE = 10_000  # rows of a commit
SHAPES = ((1200, 800), (800, 1200), (1200, 900), (900, 1200), (1600, 900), (1000, 1000))  # width, height
SOURCES = ("astronaut", "chelsea", "coffee", "rocket")


def large_library(folder: Path, photos: int) -> World:
    """A world whose user `ann` has so many photos, taken in bursts on days of twenty years."""
    made = build(folder)
    user = made.user("ann", admin=True)
    with Decoder(MediaSettings(), made.settings.derived / user.user_id) as decoder:
        pictures = [decoder.decode(bytes(path)) for path in write_pictures(folder / "pictures")]
    table = made.library("ann").photos
    rows: list[dict[str, Any]] = []
    for row in photo_rows(pictures, photos):
        rows.append(row)
        if len(rows) == AT_ONCE:
            table.upsert(table.completed(rows_of(rows, table.schema)))
            rows = []
    table.upsert(table.completed(rows_of(rows, table.schema)))
    made.library("ann").build_indexes()
    return made


def write_pictures(folder: Path) -> Iterator[Path]:
    """Small pictures of several shapes."""
    folder.mkdir(parents=True)
    for name in SOURCES:
        for width, height in SHAPES:
            path = folder / f"{name}-{width}x{height}.jpg"
            picture = cv2.resize(getattr(skimage.data, name)(), (width, height), interpolation=cv2.INTER_AREA)
            path.write_bytes(simplejpeg.encode_jpeg(picture, quality=88, colorspace="RGB"))
            yield path


def photo_rows(pictures: Sequence[Decoded], photos: int) -> Iterator[dict[str, Any]]:
    """So many rows of photos, the same every time."""
    dice = random.Random(7)
    taken, left = NEWEST, 0
    rest = timedelta(days=365 * YEARS) / (photos / 12)
    for number in range(photos):
        if not left:  # another day's burst
            taken, left = taken - rest * dice.uniform(0.2, 1.8), dice.randint(1, 23)
        taken, left = taken - timedelta(seconds=dice.randint(1, 600)), left - 1
        yield photo_row(dice, dice.choice(pictures), number, taken)


def photo_row(dice: random.Random, picture: Decoded, number: int, taken: datetime) -> dict[str, Any]:
    """A photo that shows one of the pictures."""
    return {
        "photo_id": f"{dice.getrandbits(128):032x}", "content_id": picture.content_id, "kind": "image", "variants": 1,
        "name": f"{taken:%Y}/{taken:%m}/IMG_{number:06d}.JPG", "width": picture.width, "height": picture.height,
        "size": picture.size, "taken_at": taken, "taken_offset_min": dice.choice((60, 120, None)), "orientation": 1,
        "caption": f"Photo {number}, of a library that is large.", "has_live": dice.random() < 0.1,
        "has_raw": dice.random() < 0.05, "placeholder": picture.placeholder, "media_rev": "media-1",
        "added_at": NEWEST, "changed_at": NEWEST, "search_text": f"IMG {number:06d}",
    }  # fmt: skip
