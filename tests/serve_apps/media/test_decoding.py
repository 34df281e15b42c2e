"""Every format comes out upright, in sRGB and with its derived pictures; everything else gets a sentence."""

import os
import struct
import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips

from cluster.errors import TooLarge, Unreadable
from cluster.settings import MediaSettings
from serve_apps.media.addresses import derived_path
from serve_apps.media.box import Decoder
from serve_apps.media.preview import read_preview

FORMATS = ("jpeg", "png", "webp", "gif", "tiff", "avif", "heic", "bmp", "jp2", "dng")
HERE = Path(__file__).parent


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_decoded(
    decoder: Decoder, samples: dict[str, Path], photo: Any, far_apart: Any, format: str
) -> None:
    """The picture looks like the photo it was made from, and all derived pictures are there."""
    decoded = decoder.decode(bytes(samples[format]))
    assert (decoded.format, decoded.width, decoded.height) == (format, 360, 240)
    assert (decoded.kind, decoded.flags) == ("raw" if format == "dng" else "image", [])
    assert decoded.size == samples[format].stat().st_size
    assert decoded.mtime_ns == samples[format].stat().st_mtime_ns
    assert set(decoded.derived) == {"preview", "big", "square", "small"}
    assert all(size > 100 for size in decoded.derived.values())
    assert far_apart(decoder.rgb(bytes(samples[format]), 1440), photo) < (12 if format == "dng" else 5)


@pytest.mark.parametrize("format", ["jpeg", "tiff", "webp", "png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_come_out_upright(
    tmp_path: Path, decoder: Decoder, photo: Any, stored_as: Any, vips_image: Any, far_apart: Any,
    format: str, orientation: int,
) -> None:  # fmt: skip
    """However a camera stores its picture, people and models see the same one."""
    image = vips_image(np.ascontiguousarray(stored_as[orientation](photo))).copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    path = tmp_path / f"turned.{format}"
    image.write_to_file(str(path), **({"Q": 92} if format in ("jpeg", "webp") else {}))
    decoded = decoder.decode(bytes(path))
    assert (decoded.width, decoded.height, decoded.metadata.orientation) == (360, 240, orientation)
    assert far_apart(decoder.rgb(bytes(path), 1440), photo) < 6
    preview = read_preview(derived_path(decoder_folder(decoder), decoded.content_id, "preview"), 1440)
    assert far_apart(preview, photo) < 6


def decoder_folder(decoder: Decoder) -> Path:
    """Where a decoder keeps its derived pictures."""
    return Path(os.fsdecode(decoder._setup.derived))


def test_originals_are_left_exactly_as_they_were(decoder: Decoder, samples: dict[str, Path]) -> None:
    """Decoding changes neither the bytes nor the modification time, even of a file nobody may write."""
    for path in samples.values():
        path.chmod(0o444)
        before = (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ctime_ns)
        decoder.decode(bytes(path))
        assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ctime_ns) == before


def test_the_content_id_is_of_the_bytes_alone(tmp_path: Path, decoder: Decoder, samples: dict[str, Path]) -> None:
    """The same bytes under another name have the same id, by decode and by identify."""
    copy = tmp_path / b"caf\xe9 \xff.jpg".decode("utf-8", "surrogateescape")
    copy.write_bytes(samples["jpeg"].read_bytes())
    ids = {decoder.decode(bytes(copy)).content_id, decoder.identify(bytes(copy)).content_id}
    assert ids == {decoder.decode(bytes(samples["jpeg"])).content_id}
    assert decoder.identify(bytes(copy)).metadata is None


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels to speak of."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100_000)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def test_a_bomb_is_refused_from_its_header(tmp_path: Path, decoder: Decoder, jpeg_bytes: Any) -> None:
    """900 megapixels are never decoded, in PNG or in JPEG; the sentence says how many and which setting."""
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png_of(30_000, 30_000))
    with pytest.raises(TooLarge, match=r"30,000 x 30,000 pixels \(900 megapixels\), .* media\.max_pixels"):
        decoder.decode(bytes(bomb))
    whole = jpeg_bytes()
    at = whole.index(b"\xff\xc0") + 5
    (tmp_path / "bomb.jpg").write_bytes(whole[:at] + struct.pack(">HH", 30_000, 30_000) + whole[at + 4 :])
    with pytest.raises(TooLarge, match="900 megapixels"):
        decoder.decode(bytes(tmp_path / "bomb.jpg"))


@pytest.mark.parametrize("format", ["bmp", "jp2", "heic", "avif", "gif", "webp", "tiff", "dng"])
def test_the_limit_of_pixels_holds_for_every_format(tmp_path: Path, samples: dict[str, Path], format: str) -> None:
    """A picture over max_pixels is refused whoever decodes it."""
    with (
        Decoder(MediaSettings(max_pixels=80_000), tmp_path) as strict,
        pytest.raises(TooLarge, match="360 x 240 pixels"),
    ):
        strict.decode(bytes(samples[format]))


def test_a_truncated_jpeg_is_kept_and_flagged(
    tmp_path: Path, decoder: Decoder, jpeg_bytes: Any, photo: Any, far_apart: Any
) -> None:
    """What was saved before the card broke is shown: the upper part of the picture, with a flag."""
    path = tmp_path / "cut.jpg"
    whole = jpeg_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    decoded = decoder.decode(bytes(path))
    assert decoded.flags == ["truncated"]
    assert far_apart(decoder.rgb(bytes(path), 1440)[:100], photo[:100]) < 6


@pytest.mark.parametrize(("format", "kept"), [("png", 0.6), ("gif", 0.6)])
def test_other_truncated_pictures_are_kept_where_the_format_allows(
    tmp_path: Path, decoder: Decoder, samples: dict[str, Path], format: str, kept: float
) -> None:
    """A cut PNG or GIF shows its upper part, flagged."""
    data = samples[format].read_bytes()
    path = tmp_path / f"cut.{format}"
    path.write_bytes(data[: int(len(data) * kept)])
    assert decoder.decode(bytes(path)).flags == ["truncated"]


@pytest.mark.parametrize("format", ["webp", "tiff", "avif", "heic", "bmp", "jp2", "dng"])
def test_other_truncated_pictures_give_a_picture_or_a_sentence(
    tmp_path: Path, decoder: Decoder, samples: dict[str, Path], format: str
) -> None:
    """Nothing else happens: no crash, no hang."""
    data = samples[format].read_bytes()
    path = tmp_path / f"cut.{format}"
    path.write_bytes(data[: len(data) // 3])
    outcome = ""
    try:
        outcome = str(decoder.decode(bytes(path)).flags)
    except Unreadable as error:
        outcome = str(error)
    assert "restore it" in outcome or "damaged" in outcome or "truncated" in outcome


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("empty.jpg", b"", "the file is empty (0 bytes)"),
        ("letter.jpg", "Liebe Großmutter, ".encode() * 40, "the file is text, though its name ends in '.jpg'"),
        ("noise.jpg", bytes(range(7, 256)) * 20, "no picture or video of a kind that Brightroom knows"),
        ("noise.cr2", bytes(range(7, 256)) * 20, "this RAW file cannot be decoded"),
        ("playlist.mp4", b"#EXTM3U\n/etc/passwd\n", "the file is text"),
        ("concat.mkv", b"ffconcat version 1.0\nfile /etc/passwd\n", "the file is text"),
        ("page.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "the file is text"),
        ("start.jpg", b"\xff\xd8\xff\xe0" + bytes(500), "this JPEG cannot be decoded"),
        ("start.png", b"\x89PNG\r\n\x1a\n" + bytes(500), "this PNG cannot be decoded"),
        ("start.heic", b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(500), "this HEIC cannot be decoded"),
        ("start.avif", b"\0\0\0\x18ftypavif\0\0\0\0avifmif1" + bytes(500), "this AVIF cannot be decoded"),
        ("start.mov", b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(500), "video cannot be decoded"),
        ("start.bmp", b"BM" + bytes(8), "this BMP cannot be decoded"),
        ("start.jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50), "this JP2 cannot be decoded"),
        ("start.tiff", b"II*\0\x08\0\0\0" + bytes(50), "this TIFF cannot be decoded"),
    ],
)
def test_what_is_no_picture_gets_a_sentence(
    tmp_path: Path, decoder: Decoder, name: str, data: bytes, sentence: str
) -> None:
    """The error says in words what the file is, and what to do."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(Unreadable) as told:
        decoder.decode(bytes(path))
    assert sentence in str(told.value)
    assert ";" in str(told.value)


def test_a_jpeg_by_another_name_is_still_a_jpeg(tmp_path: Path, decoder: Decoder, jpeg_bytes: Any) -> None:
    """The bytes say what a file is; its extension is only asked where they do not."""
    for name in ("photo.png", "photo.dng", "photo.mov", "photo"):
        (tmp_path / name).write_bytes(jpeg_bytes())
        assert decoder.decode(bytes(tmp_path / name)).format == "jpeg"


def test_a_fifo_a_folder_a_link_and_a_device_are_refused_at_once(
    tmp_path: Path, decoder: Decoder, samples: dict[str, Path]
) -> None:
    """Nothing but a regular file is opened for long enough to block."""
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "link.jpg").symlink_to(samples["jpeg"])
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    sentences = {
        "pipe": "no regular file",
        "folder": "no regular file",
        "link": "symbolic link",
        "loop": "symbolic link",
    }
    for name, sentence in sentences.items():
        with pytest.raises(Unreadable, match=sentence):
            decoder.decode(bytes(tmp_path / f"{name}.jpg"))
    with pytest.raises(Unreadable, match="no regular file"):
        decoder.decode(b"/dev/zero")
    with pytest.raises(Unreadable, match="not there any more"):
        decoder.decode(bytes(tmp_path / "gone.jpg"))


def test_a_file_that_changes_while_it_is_read_is_left_for_later(tmp_path: Path, decoder: Decoder) -> None:
    """A file still being copied is neither decoded nor hashed as if it were whole."""
    path = tmp_path / "growing.mov"
    with path.open("wb") as file:
        file.write(b"\0\0\0\x14ftypqt  \0\0\0\0qt  ")
        file.truncate(300 << 20)
    stop = threading.Event()

    def grow() -> None:
        with path.open("ab") as file:
            while not stop.wait(0.001):
                file.write(b"more")
                file.flush()

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(Unreadable, match="changed while it was read"):
            decoder.decode(bytes(path))
        with pytest.raises(Unreadable, match="changed while it was read"):
            decoder.identify(bytes(path))
    finally:
        stop.set()
        writer.join()
