"""A video gives a frame that shows something, its length, and what the phone wrote beside it."""

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster.errors import TooLarge, Unreadable
from cluster.settings import MediaSettings
from serve_apps.media import video
from serve_apps.media.box import Decoder

PHONE = {
    "com.apple.quicktime.content.identifier": "0A1B2C3D-0000-4000-8000-123456789ABC",
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 13",
    "com.apple.quicktime.creationdate": "2024-05-06T07:08:09+0200",
    "com.apple.quicktime.location.ISO6709": "+48.8584+002.2945+035.500/",
}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, movie: Callable[..., Path], photo: Any) -> Path:
    """Two seconds of the photo as a phone would have taken them."""
    return movie(tmp_path_factory.mktemp("film") / "IMG_0001.MOV", [photo] * 20, PHONE)


@pytest.mark.parametrize(
    ("ending", "codec", "format"),
    [
        ("mp4", "libx264", "mp4"), ("mov", "libx264", "mov"), ("mkv", "libx264", "mkv"), ("avi", "mpeg4", "avi"),
        ("webm", "libvpx", "webm"), ("ts", "libx264", "mpegts"), ("mpg", "mpeg2video", "mpeg"),
        ("flv", "libx264", "flv"),
    ],
)  # fmt: skip
def test_every_container_gives_a_frame_and_a_length(
    tmp_path: Path, decoder: Decoder, movie: Any, photo: Any, far_apart: Any, ending: str, codec: str, format: str
) -> None:
    """The frame looks like the film, and the length is in seconds."""
    rate = 25 if codec == "mpeg2video" else 10
    path = movie(tmp_path / f"film.{ending}", [photo] * 2 * rate, codec=codec, rate=rate)
    decoded = decoder.decode(bytes(path))
    assert (decoded.kind, decoded.format, decoded.width, decoded.height) == ("video", format, 360, 240)
    assert decoded.metadata.duration_s == pytest.approx(2, abs=0.3)
    assert far_apart(decoder.rgb(bytes(path), 1440), photo) < 12
    assert decoded.derived["preview"] > 1000


def test_a_phones_facts_are_read(decoder: Decoder, film: Path) -> None:
    """Time with offset, place with altitude, camera, length, and the Live Photo identifier."""
    known = decoder.decode(bytes(film)).metadata
    assert (known.taken_source, known.taken_offset_min) == ("quicktime", 120)
    assert known.taken_at == datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)
    assert (known.latitude, known.longitude, known.altitude) == (48.8584, 2.2945, 35.5)
    assert (known.camera_make, known.camera_model) == ("Apple", "iPhone 13")
    assert known.live_id == "0A1B2C3D-0000-4000-8000-123456789ABC"
    assert known.duration_s == pytest.approx(2)


def test_identify_knows_a_films_facts_without_decoding_it(decoder: Decoder, film: Path) -> None:
    """The Live Photo identifier is what a scan needs to join a movie to its picture."""
    identity = decoder.identify(bytes(film))
    assert identity.metadata is not None
    assert identity.metadata.live_id == PHONE["com.apple.quicktime.content.identifier"]
    assert identity.content_id == decoder.decode(bytes(film)).content_id


def test_a_broken_film_is_still_identified(tmp_path: Path, decoder: Decoder, film: Path) -> None:
    """Its bytes have an id even if nothing can be read from them."""
    path = tmp_path / "cut.mov"
    path.write_bytes(film.read_bytes()[:200])
    assert decoder.identify(bytes(path)).metadata is None
    with pytest.raises(Unreadable, match="video cannot be decoded"):
        decoder.decode(bytes(path))


@pytest.mark.parametrize(
    ("matrix", "orientation"),
    [((0, 1, -1, 0), 6), ((-1, 0, 0, -1), 3), ((0, -1, 1, 0), 8)],
)
def test_a_film_taken_on_end_comes_out_upright(
    tmp_path: Path, decoder: Decoder, movie: Any, photo: Any, stored_as: Any, far_apart: Any,
    matrix: tuple[int, ...], orientation: int,
) -> None:  # fmt: skip
    """Phones store film as the sensor lies and say how to turn it."""
    path = movie(tmp_path / "turned.mp4", [np.ascontiguousarray(stored_as[orientation](photo))] * 3)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = matrix
    data[at : at + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    decoded = decoder.decode(bytes(path))
    assert (decoded.width, decoded.height, decoded.metadata.orientation) == (360, 240, orientation)
    assert far_apart(decoder.rgb(bytes(path), 1440), photo) < 12


@pytest.mark.parametrize("black_frames", [5, 25])
def test_a_film_that_begins_in_the_dark_shows_what_comes_after(
    tmp_path: Path, decoder: Decoder, movie: Any, photo: Any, far_apart: Any, black_frames: int
) -> None:
    """With one key frame, and a black one, frames in between are looked at."""
    path = movie(tmp_path / "dark.mp4", [np.zeros_like(photo)] * black_frames + [photo] * 20)
    assert far_apart(decoder.rgb(bytes(path), 1440), photo) < 15


def test_a_film_without_any_light_is_still_a_film(tmp_path: Path, decoder: Decoder, movie: Any, photo: Any) -> None:
    """Where all frames are black, a black one is shown."""
    path = movie(tmp_path / "black.mp4", [np.zeros_like(photo)] * 5)
    assert decoder.rgb(bytes(path), 1440).max() < 20


def test_a_film_of_any_size_is_streamed(tmp_path: Path, decoder: Decoder, film: Path) -> None:
    """The limit on files is for pictures: a film of 600 MB is decoded in a child that may have 400 MB."""
    path = tmp_path / "long.mov"
    path.write_bytes(film.read_bytes())
    with path.open("r+b") as file:
        file.seek(0, 2)
        file.write(struct.pack(">I4s", 8, b"free"))
        file.truncate(600 << 20)
    limits = MediaSettings(max_file_mb=1, memory_mb=400)
    with Decoder(limits, tmp_path / "derived") as small:
        decoded = small.decode(bytes(path))
    assert decoded.size == 600 << 20
    assert decoded.width == 360


def test_a_film_over_the_limit_of_pixels_is_refused(tmp_path: Path, film: Path) -> None:
    """The size is known before a frame is decoded."""
    with (
        Decoder(MediaSettings(max_pixels=1000), tmp_path) as strict,
        pytest.raises(TooLarge, match="360 x 240"),
    ):
        strict.decode(bytes(film))


def test_a_playlist_in_disguise_opens_nothing(tmp_path: Path, decoder: Decoder, photo: Any, film: Path) -> None:
    """The demuxer is chosen by the first bytes, so no text can point FFmpeg at another file."""
    for name, text in (
        ("a.ts", f"#EXTM3U\n#EXTINF:1,\n{film}\n"),
        ("b.mov", f"ffconcat version 1.0\nfile {film}\n"),
        ("c.mkv", f"\x1a\x45\xdf\xa3ffconcat version 1.0\nfile {film}\n"),
    ):
        (tmp_path / name).write_text(text, "latin-1")
        with pytest.raises(Unreadable):
            decoder.decode(bytes(tmp_path / name))


def test_sound_alone_is_no_film(tmp_path: Path, decoder: Decoder) -> None:
    """A container with nothing but sound gets a sentence of its own."""
    import av

    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44_100
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(Unreadable, match="only sound"):
        decoder.decode(bytes(path))


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("+48.8584+002.2945/", (48.8584, 2.2945, None)),
        ("-33.8568+151.2153+004.1/", (-33.8568, 151.2153, 4.1)),
        ("+00.0000+000.0000/", (None, None, None)),
        ("+95.0000+000.1000/", (None, None, None)),
        ("north of here", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_a_place_is_read_as_iso_6709(text: str, position: tuple[float | None, ...]) -> None:
    """Signs, decimals, and an altitude if there is one."""
    assert video.position_of(text) == position
