"""Colour spaces, depths and alpha all become eight-bit RGB on white."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips

from cluster.errors import Unreadable
from serve_apps.media import vips
from serve_apps.media.box import Decoder

LIMIT = 250_000_000


def test_cmyk_becomes_rgb_by_its_own_profile(
    tmp_path: Path, decoder: Decoder, photo: Any, vips_image: Any, far_apart: Any
) -> None:
    """A print file looks like the photo it was made from, within what ink can show; its profile is not passed on."""
    path = tmp_path / "print.jpg"
    path.write_bytes(vips_image(photo).icc_export(output_profile="cmyk").jpegsave_buffer(Q=95))
    assert far_apart(decoder.rgb(bytes(path), 1440), photo) < 12
    assert vips.decode(path.read_bytes(), "jpeg", 1440, LIMIT).profile == b""


def test_cmyk_without_a_profile_is_still_a_picture(
    tmp_path: Path, decoder: Decoder, photo: Any, vips_image: Any, far_apart: Any
) -> None:
    """Ink values without a profile are taken for ordinary ink."""
    path = tmp_path / "print.jpg"
    path.write_bytes(vips_image(photo).icc_export(output_profile="cmyk").jpegsave_buffer(Q=95, keep="none"))
    assert far_apart(decoder.rgb(bytes(path), 1440), photo) < 15


def test_sixteen_bits_become_eight(
    tmp_path: Path, decoder: Decoder, photo: Any, vips_image: Any, far_apart: Any
) -> None:
    """A 16-bit PNG and TIFF look like their 8-bit twins, in colour and in grey."""
    deep = photo.astype(np.uint16) * 257
    grey = deep[..., 1]
    for format in ("png", "tiff"):
        vips_image(deep, "rgb16").write_to_file(str(tmp_path / f"deep.{format}"))
        assert far_apart(decoder.rgb(bytes(tmp_path / f"deep.{format}"), 1440), photo) < 1
        vips_image(grey, "grey16").write_to_file(str(tmp_path / f"grey.{format}"))
        expected = np.repeat(photo[..., 1:2], 3, axis=2)
        assert far_apart(decoder.rgb(bytes(tmp_path / f"grey.{format}"), 1440), expected) < 1


@pytest.mark.parametrize("format", ["png", "webp", "tiff"])
@pytest.mark.parametrize("scale", [1, 4])
def test_alpha_is_laid_on_white(
    tmp_path: Path, decoder: Decoder, photo: Any, vips_image: Any, far_apart: Any, format: str, scale: int
) -> None:
    """What is transparent is white, half is half, also when the picture is reduced."""
    alpha = np.zeros((240, 360, 1), np.uint8)
    alpha[:, 120:240], alpha[:, 240:] = 128, 255
    path = tmp_path / f"alpha.{format}"
    image = vips_image(np.concatenate([photo, alpha], axis=2))
    image.write_to_file(str(path), **({"lossless": True} if format == "webp" else {}))
    found = decoder.rgb(bytes(path), 360 // scale)
    share = alpha / 255
    expected = (photo * share + 255 * (1 - share)).round().astype(np.uint8)
    if scale > 1:
        expected = vips_image(expected).resize(1 / scale).numpy()
    assert far_apart(found, expected) < 3


def test_a_grey_picture_gets_three_equal_bands(tmp_path: Path, decoder: Decoder, photo: Any, vips_image: Any) -> None:
    """Grey with and without alpha, palettes of one bit, and grey JPEG."""
    grey = vips_image(photo[..., 0], "b-w")
    grey.write_to_file(str(tmp_path / "a.png"))
    grey.write_to_file(str(tmp_path / "b.jpg"))
    grey.bandjoin(255).copy(interpretation="b-w").write_to_file(str(tmp_path / "c.png"))
    (grey > 128).copy(interpretation="b-w").tiffsave(str(tmp_path / "d.tiff"), bitdepth=1)
    for path in sorted(tmp_path.iterdir()):
        found = decoder.rgb(bytes(path), 1440)
        assert found.std() > 20, path
        assert (found[..., 0] == found[..., 1]).all()
        assert (found[..., 0] == found[..., 2]).all()


def test_measurements_are_stretched_to_be_seen(tmp_path: Path, decoder: Decoder, vips_image: Any) -> None:
    """A floating point TIFF shows its least value black and its greatest white."""
    path = tmp_path / "float.tiff"
    vips_image(np.linspace(-3, 9, 10_000, dtype=np.float32).reshape(100, 100), "b-w").write_to_file(str(path))
    found = decoder.rgb(bytes(path), 100)
    assert (found[0, 0, 0], found[-1, -1, 0]) == (0, 255)


@pytest.mark.parametrize("space", ["scrgb", "lab", "labs", "xyz"])
@pytest.mark.parametrize("longest", [360, 90])
def test_light_in_floating_point_and_lab_keep_their_colours(
    vips_image: Any, photo: Any, far_apart: Any, space: str, longest: int
) -> None:
    """A TIFF in linear light from 0 to 1, in Lab or in XYZ looks like the photo it was made from."""
    image = vips_image(photo).colourspace(space)
    picture = vips.decode(image.tiffsave_buffer(), "tiff", longest, LIMIT)
    assert picture.profile == b""
    assert far_apart(picture.pixels, vips_image(photo).resize(longest / 360).numpy()) < 4


def test_floating_point_with_a_profile_is_believed_the_profile(photo: Any, profile: Any, far_apart: Any) -> None:
    """It says that the numbers are no linear light; nothing is stretched."""
    image = pyvips.Image.new_from_array((photo / 510).astype(np.float32)).copy(interpretation="scrgb")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile("p3"))
    picture = vips.decode(image.tiffsave_buffer(), "tiff", 360, LIMIT)
    assert picture.profile == profile("p3")
    assert far_apart(picture.pixels, photo // 2) < 1


@pytest.mark.parametrize("bands", [3, 4])
@pytest.mark.parametrize("kept", [0, 20])
def test_a_png_without_any_line_is_no_black_picture(photo: Any, vips_image: Any, bands: int, kept: int) -> None:
    """An empty or useless IDAT is an error; one line that can be decoded is a damaged picture."""
    opaque = np.dstack([photo, np.full((240, 360), 255, np.uint8)])[..., :bands]
    whole = vips_image(np.ascontiguousarray(opaque)).pngsave_buffer()
    with pytest.raises(Unreadable, match="what is left of this PNG shows nothing"):
        vips.decode(with_pixels(whole, lambda packed: packed[:kept]), "png", 1440, LIMIT)
    line = with_pixels(whole, lambda packed: zlib.compress(zlib.decompress(packed)[: 1 + 360 * bands]))
    picture = vips.decode(line, "png", 1440, LIMIT)
    assert picture.flags == ("damaged",)
    assert (picture.pixels[0] == photo[0]).all()


def with_pixels(png: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A PNG whose compressed pixels are changed and lie in one IDAT."""
    chunks, at = [], 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    packed = change(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    kept = [(kind, body) for kind, body in chunks if kind not in (b"IDAT", b"IEND")]
    return png[:8] + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in [*kept, (b"IDAT", packed), (b"IEND", b"")]
    )


def test_a_wide_profile_of_sixteen_bits_is_kept(vips_image: Any, photo: Any, profile: Any) -> None:
    """Depth changes, the profile stays with its colours."""
    image = vips_image(photo).icc_export(output_profile="p3", depth=16)
    picture = vips.decode(image.pngsave_buffer(), "png", 1440, LIMIT)
    assert picture.profile == profile("p3")
    assert picture.pixels.dtype == np.uint8


def test_a_profile_that_does_not_fit_its_picture_is_ignored(
    vips_image: Any, photo: Any, profile: Any, far_apart: Any
) -> None:
    """An ink profile in an RGB picture does not spoil it, and is not passed on."""
    image = vips_image(photo).copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile("cmyk"))
    picture = vips.decode(image.pngsave_buffer(), "png", 1440, LIMIT)
    assert picture.profile == b""
    assert far_apart(picture.pixels, photo) < 3


def test_a_picture_comes_at_the_size_asked_for(photo: Any, vips_image: Any) -> None:
    """The pixels are reduced, the size is that of the whole."""
    picture = vips.decode(vips_image(photo).webpsave_buffer(), "webp", 90, LIMIT)
    assert picture.pixels.shape == (60, 90, 3)
    assert (picture.width, picture.height) == (360, 240)


def test_only_the_loader_of_the_format_is_tried(photo: Any, vips_image: Any) -> None:
    """A PNG is not opened by somebody who said WebP: libvips is never left to guess."""
    with pytest.raises(Unreadable, match="this WEBP cannot be decoded"):
        vips.decode(vips_image(photo).pngsave_buffer(), "webp", 90, LIMIT)
