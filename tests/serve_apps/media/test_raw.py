"""Camera RAW: the camera's own preview, or the sensor's pixels."""

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cluster.errors import TooLarge, Unreadable
from serve_apps.media import raw
from serve_apps.media.box import Decoder

LIMIT = 250_000_000
SHORT, LONG = 3, 4  # types of TIFF entries


def with_preview(dng: bytes, preview: bytes, size: tuple[int, int]) -> bytes:
    """A DNG whose first list is a JPEG preview, and whose sensor's list comes below it."""
    first = struct.unpack_from("<I", dng, 4)[0]
    (count,) = struct.unpack_from("<H", dng, first)
    entries = {entry[0]: entry for entry in struct.iter_unpack("<HHI4s", dng[first + 2 : first + 2 + 12 * count])}
    outer = {tag: entries.pop(tag) for tag in (271, 272, 274, 306, 50706, 50708, 50721, 50728, 50778) if tag in entries}
    at = len(dng) + len(dng) % 2
    picture_at = at + 2 + 12 * (len(entries)) + 4
    for tag, kind, value in (
        (254, LONG, 1), (256, LONG, size[0]), (257, LONG, size[1]), (259, SHORT, 7), (262, SHORT, 6), (277, SHORT, 3),
        (273, LONG, picture_at), (279, LONG, len(preview)), (330, LONG, at),
    ):  # fmt: skip
        outer[tag] = (tag, kind, 1, struct.pack("<I", value))
    list_at = picture_at + len(preview) + len(preview) % 2
    head = dng[:4] + struct.pack("<I", list_at) + dng[8:] + bytes(len(dng) % 2)
    return head + listed(entries) + preview + bytes(len(preview) % 2) + listed(outer)


def listed(entries: dict[int, Any]) -> bytes:
    """A list of entries as it stands in a TIFF file, with none after it."""
    body = b"".join(struct.pack("<HHI4s", *entries[tag]) for tag in sorted(entries))
    return struct.pack("<H", len(entries)) + body + bytes(4)


@pytest.fixture
def sensor(tmp_path: Path, dng: Callable[..., None], photo: Any) -> Callable[..., bytes]:
    """Makes the bytes of a DNG of the photo, at a scale, for an orientation."""

    def make(scale: int = 1, orientation: int = 1) -> bytes:
        path = tmp_path / "sensor.dng"
        dng(path, np.asarray(Image.fromarray(photo).resize((360 * scale, 240 * scale))), orientation)
        return path.read_bytes()

    return make


def test_the_cameras_own_preview_is_taken_when_it_is_large_enough(
    sensor: Callable[..., bytes], jpeg_bytes: Any, photo: Any
) -> None:
    """A preview in other colours than the sensor's shows which one was taken; the size is the sensor's."""
    inverted = np.asarray(Image.fromarray(255 - photo).resize((1200, 800)))
    data = with_preview(sensor(4), jpeg_bytes(inverted), (1200, 800))
    picture = raw.decode(data, 1440, LIMIT)
    assert (picture.width, picture.height) == (1440, 960)
    assert picture.pixels.shape == (800, 1200, 3)
    assert abs(picture.pixels.mean() - inverted.mean()) < 3


def test_a_small_preview_is_left_for_the_sensor(sensor: Callable[..., bytes], jpeg_bytes: Any, photo: Any) -> None:
    """A stamp-sized preview is no good to look at."""
    data = with_preview(sensor(4), jpeg_bytes(255 - photo), (360, 240))
    picture = raw.decode(data, 1440, LIMIT)
    assert picture.pixels.shape == (960, 1440, 3)
    assert abs(picture.pixels.mean() - photo.mean()) < 20


def test_a_large_sensor_is_developed_at_half_its_size(sensor: Callable[..., bytes]) -> None:
    """Half is enough where it is still as large as asked."""
    assert raw.decode(sensor(4), 720, LIMIT).pixels.shape == (480, 720, 3)
    assert raw.decode(sensor(4), 1000, LIMIT).pixels.shape == (960, 1440, 3)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_raw_file_comes_out_upright(
    tmp_path: Path, decoder: Decoder, dng: Any, photo: Any, stored_as: Any, far_apart: Any, orientation: int
) -> None:
    """Cameras turn in four ways."""
    path = tmp_path / "turned.dng"
    dng(path, np.ascontiguousarray(stored_as[orientation](photo)), orientation)
    decoded = decoder.decode(bytes(path))
    assert (decoded.width, decoded.height) == (360, 240)
    assert far_apart(decoder.rgb(bytes(path), 1440), photo) < 12


def test_a_turned_preview_is_turned_once(sensor: Callable[..., bytes], jpeg_bytes: Any, photo: Any) -> None:
    """Stored as the sensor lies it is turned; turned by the camera already it is not."""
    lying = np.asarray(Image.fromarray(photo).resize((1200, 800)))
    for preview, expected in ((lying, (6, 1440, 960)), (np.rot90(lying, -1), (1, 960, 1440))):
        data = with_preview(sensor(4, orientation=6), jpeg_bytes(preview), preview.shape[1::-1])
        picture = raw.decode(data, 1440, LIMIT)
        assert (picture.orientation, picture.width, picture.height) == expected
        assert picture.pixels.shape == preview.shape


def test_a_raw_files_facts_are_read(tmp_path: Path, decoder: Decoder, samples: dict[str, Path]) -> None:
    """Camera and time stand in the file itself."""
    decoded = decoder.decode(bytes(samples["dng"]))
    assert (decoded.kind, decoded.format) == ("raw", "dng")
    assert (decoded.metadata.camera_make, decoded.metadata.camera_model) == ("ACME", "Bayer 1")
    assert decoded.metadata.taken_at == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert decoded.metadata.taken_source == "exif"


def test_a_rating_inside_a_raw_file_is_read(tmp_path: Path, decoder: Decoder, dng: Any, photo: Any) -> None:
    """Editors keep ratings of a DNG in the file itself."""
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3"/></rdf:RDF></x:xmpmeta>'
    )
    dng(tmp_path / "rated.dng", photo, xmp=packet)
    assert decoder.decode(bytes(tmp_path / "rated.dng")).metadata.rating == 3


def test_a_tiff_with_the_name_of_a_raw_file_is_shown(samples: dict[str, Path], photo: Any) -> None:
    """Some scanners call their TIFF files so."""
    picture = raw.decode(samples["tiff"].read_bytes(), 1440, LIMIT)
    assert (picture.pixels == photo).all()


def test_a_sensor_over_the_limit_is_refused(sensor: Callable[..., bytes]) -> None:
    """The size is known before the pixels."""
    with pytest.raises(TooLarge, match="360 x 240"):
        raw.decode(sensor(), 1440, 1000)


def test_what_no_camera_wrote_gets_a_sentence() -> None:
    """Noise in the name of RAW."""
    with pytest.raises(Unreadable, match="RAW file cannot be decoded"):
        raw.decode(bytes(range(256)) * 40, 1440, LIMIT)
