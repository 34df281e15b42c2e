"""Profiles of curves and a matrix are read in Python, and give the colours that libvips gives."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster.settings import MediaSettings
from serve_apps.media.addresses import derived_path
from serve_apps.media.box import Decoder
from serve_apps.media.colour import curve, is_srgb, to_srgb, transform_of
from serve_apps.media.preview import read_preview
from serve_apps.media.segments import blocks_of


@pytest.fixture(scope="module")
def vivid() -> Any:
    """Vivid colours in smooth steps, 360 x 240: no red without little green, and the like."""
    across, down = np.meshgrid(np.linspace(0, 255, 360), np.linspace(0, 255, 240))
    return np.dstack([across, 255 - across, down]).astype(np.uint8)


@pytest.fixture(scope="module")
def p3(vips_image: Any, vivid: Any) -> Any:
    """The vivid colours as Display P3 numbers."""
    return vips_image(vivid).icc_transform("p3", input_profile="srgb").numpy()


def test_display_p3_becomes_the_srgb_it_was_made_from(p3: Any, vivid: Any, profile: Any, far_apart: Any) -> None:
    """There and back, within rounding; without the conversion it would be visibly off."""
    assert far_apart(p3, vivid) > 8
    assert far_apart(to_srgb(p3, profile("p3")), vivid) < 0.7


def test_srgb_is_recognised_by_what_it_does(photo: Any, profile: Any) -> None:
    """A profile that changes nothing is not worth carrying, and the pixels stay as they are."""
    assert is_srgb(profile("srgb"))
    assert not is_srgb(profile("p3"))
    assert to_srgb(photo, profile("srgb")) is photo
    assert to_srgb(photo, b"") is photo


def test_people_get_the_profile_and_models_get_srgb(
    tmp_path: Path, p3: Any, vivid: Any, profile: Any, jpeg_bytes: Any, far_apart: Any
) -> None:
    """Preview and thumbnails carry Display P3 as it came; both ways to an array end in sRGB."""
    path = tmp_path / "p3.jpg"
    path.write_bytes(jpeg_bytes(p3, icc=profile("p3")))
    with Decoder(MediaSettings(), tmp_path / "derived") as decoder:
        content = decoder.decode(bytes(path)).content_id
        assert far_apart(decoder.rgb(bytes(path), 1440), vivid) < 2.5
    preview = derived_path(tmp_path / "derived", content, "preview")
    assert blocks_of(preview.read_bytes()).profile == profile("p3")
    assert far_apart(read_preview(preview, 1440), vivid) < 2.5
    for size in ("big", "square", "small"):
        shown = pyvips.Image.new_from_file(str(derived_path(tmp_path / "derived", content, size)))
        assert shown.get("icc-profile-data") == profile("p3")


@pytest.mark.parametrize(
    ("tag", "middle"),
    [
        (b"curv" + bytes(4) + struct.pack(">I", 0), 128 / 255),
        (b"curv" + bytes(4) + struct.pack(">IH", 1, 512), (128 / 255) ** 2),
        (b"curv" + bytes(4) + struct.pack(">I3H", 3, 0, 0, 65535), (128 / 255 - 0.5) * 2),
        (b"para" + bytes(4) + struct.pack(">HHi", 0, 0, 2 << 16), (128 / 255) ** 2),
        (b"para" + bytes(4) + struct.pack(">HH3i", 1, 0, 1 << 16, 2 << 16, -(1 << 16)), 2 * 128 / 255 - 1),
        (b"para" + bytes(4) + struct.pack(">HH4i", 2, 0, 1 << 16, 1 << 16, 0, 1 << 14), 128 / 255 + 0.25),
        (b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, 1 << 16, 1 << 16, 0, 1 << 15, 1 << 16), 128 / 255 / 2),
        (b"para" + bytes(4) + struct.pack(">HH7i", 4, 0, 65536, 65536, 0, 65536, 0, 6554, 0), 128 / 255 + 0.1),
    ],
)
def test_every_kind_of_tone_curve_is_understood(tag: bytes, middle: float) -> None:
    """Identity, gamma, table, and the five formulas."""
    assert curve(tag)[128] == pytest.approx(middle, abs=1e-4)


def test_profiles_of_another_kind_are_left_to_libvips(profile: Any) -> None:
    """CMYK, cut and absent profiles have no transform here."""
    assert transform_of(profile("p3")) is not None
    assert [transform_of(other) for other in (b"", profile("cmyk"), profile("p3")[:200], bytes(2000))] == [None] * 4


@given(flips=st.lists(st.tuples(st.integers(0, 479), st.integers(0, 255)), max_size=12), cut=st.integers(0, 480))
@settings(database=None, max_examples=80, suppress_health_check=list(HealthCheck))
def test_a_damaged_profile_does_no_harm(
    profile: Callable[[str], bytes], photo: Any, flips: list[tuple[int, int]], cut: int
) -> None:
    """Whatever is in it, the pixels come back as pixels."""
    damaged = bytearray(profile("p3"))
    for at, value in flips:
        damaged[at % len(damaged)] = value
    small = photo[:4, :4]
    for data in (bytes(damaged), bytes(damaged[:cut])):
        converted = to_srgb(small, data)
        assert converted.shape == small.shape
        assert converted.dtype == np.uint8
