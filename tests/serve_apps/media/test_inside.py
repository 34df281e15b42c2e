"""A packet goes into every kind of file that has a place for one, and the picture stays what it was, to the bit."""

import random
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
import pyvips
from PIL import Image

from cluster.errors import PhotoError, TooLarge, Unreadable
from serve_apps.media.box import Decoder
from serve_apps.media.boxes import box, boxes
from serve_apps.media.heif_items import IN_FILE, meta_of
from serve_apps.media.inside import inside
from serve_apps.media.inside_jpeg import ROOM
from serve_apps.media.inside_video import XMP_UUID
from serve_apps.media.pieces import contents, size_of, within
from serve_apps.media.source import Source
from serve_apps.media.xmp_write import Wanted, merged

FIRST = merged(b"", Wanted(rating=4, title="One", keywords=["Ada"]))
LONGER = merged(FIRST, Wanted(caption="Rather more words than there were before" * 20))
Written = Callable[[Path, bytes], Path]


def rewritten(path: Path, packet: bytes, to: Path) -> Path:
    """The file with a packet, as another file."""
    with Source(bytes(path)) as source:
        pieces = inside(source, path.name).rewritten(packet)
        whole = b"".join(contents(source, pieces))
    assert len(whole) == size_of(pieces)
    to.write_bytes(whole)
    return to


def packet_in(path: Path) -> bytes:
    """The packet in a file."""
    with Source(bytes(path)) as source:
        return inside(source, path.name).packet


def same_but_for_the_packet(decoder: Decoder, one: Path, other: Path, packet: bytes) -> None:
    """The other file has the packet, decodes to the same pixels, and says what the packet says."""
    assert packet_in(other) == packet
    before, after = decoder.decode(bytes(one)), decoder.decode(bytes(other))
    assert (after.width, after.height, after.format, after.flags) == (
        before.width, before.height, before.format, before.flags,
    )  # fmt: skip
    assert (after.metadata.rating, after.metadata.title, after.metadata.keywords) == (4, "One", ["Ada"])
    assert np.array_equal(decoder.rgb(bytes(one), 4096), decoder.rgb(bytes(other), 4096))


@pytest.fixture(scope="session")
def files(
    samples: dict[str, Path], movie: Any, photo: Any, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A file of each format that a packet can be written into."""
    folder = tmp_path_factory.mktemp("films")
    frames = [np.roll(photo, step, 1) for step in range(12)]
    films = {name: movie(folder / f"film.{name}", frames) for name in ("mp4", "mov", "3gp")}
    return {name: samples[name] for name in ("jpeg", "tiff", "dng", "heic", "avif")} | films


@pytest.mark.parametrize("kind", ["jpeg", "tiff", "dng", "heic", "avif", "mp4", "mov", "3gp"])
def test_a_packet_is_put_in_and_replaced(kind: str, files: dict[str, Path], decoder: Decoder, tmp_path: Path):
    """Twice, and the file does not grow by what was replaced."""
    old = files[kind]
    once = rewritten(old, FIRST, tmp_path / f"once{old.suffix}")
    twice = rewritten(once, LONGER, tmp_path / f"twice{old.suffix}")
    back = rewritten(twice, FIRST, tmp_path / f"back{old.suffix}")

    same_but_for_the_packet(decoder, old, once, FIRST)
    same_but_for_the_packet(decoder, old, twice, LONGER)
    assert back.read_bytes() == once.read_bytes()
    assert rewritten(once, FIRST, tmp_path / f"same{old.suffix}").read_bytes() == once.read_bytes()


@pytest.mark.parametrize("kind", ["png", "webp", "gif", "bmp", "jp2"])
def test_other_formats_are_refused(kind: str, samples: dict[str, Path]):
    """A format without a safe place says so, and what to do."""
    with Source(bytes(samples[kind])) as source, pytest.raises(Unreadable, match="write beside it"):
        inside(source, samples[kind].name)


def test_a_jpeg_keeps_every_other_segment(
    jpeg_bytes: Any, exif_bytes: Any, profile: Any, decoder: Decoder, tmp_path: Path
):
    """The packet stands behind EXIF and before the profile; take it out again and the file is the old one."""
    path = tmp_path / "a.jpg"
    path.write_bytes(
        jpeg_bytes(exif=exif_bytes({271: "ACME"}, orientation=6), icc=profile("p3")) + b"behind the picture"
    )

    new = rewritten(path, FIRST, tmp_path / "b.jpg")

    whole = new.read_bytes()
    start = whole.index(b"http://ns.adobe.com/xap/1.0/\0") - 4
    assert whole[:start] + whole[start + 4 + 29 + len(FIRST) :] == path.read_bytes()
    same_but_for_the_packet(decoder, path, new, FIRST)


def test_a_jpeg_with_further_pictures_keeps_them_findable(jpeg_bytes: Any, tmp_path: Path):
    """Their distances count from a segment before them: a packet in between may not change its length."""
    plain = jpeg_bytes()
    more = b"\xff\xe2" + struct.pack(">H", 2 + 8) + b"MPF\0" + bytes(4)
    (tmp_path / "before.jpg").write_bytes(plain[:2] + more + jpeg_bytes(xmp=FIRST)[2:])
    (tmp_path / "behind.jpg").write_bytes(jpeg_bytes(xmp=FIRST)[: 4 + 31 + len(FIRST)] + more + plain[2:])

    with pytest.raises(Unreadable, match="further pictures"):
        rewritten(tmp_path / "before.jpg", LONGER, tmp_path / "x.jpg")
    assert packet_in(rewritten(tmp_path / "behind.jpg", LONGER, tmp_path / "y.jpg")) == LONGER


def test_a_packet_that_no_segment_holds_is_refused(files: dict[str, Path], tmp_path: Path):
    """A JPEG's segment has 64 KB; one byte less goes in."""
    with pytest.raises(TooLarge, match="a JPEG holds"):
        rewritten(files["jpeg"], b" " * (ROOM + 1), tmp_path / "a.jpg")
    assert len(packet_in(rewritten(files["jpeg"], b" " * ROOM, tmp_path / "b.jpg"))) == ROOM


def test_a_tiff_keeps_all_its_pages_where_they_are(decoder: Decoder, photo: Any, tmp_path: Path):
    """Only four bytes of the old file change: where its first list of tags is."""
    pages = [Image.fromarray(photo), Image.fromarray(photo[::-1].copy())]
    path = tmp_path / "a.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])

    new = rewritten(path, FIRST, tmp_path / "b.tif")

    before, after = path.read_bytes(), new.read_bytes()
    assert after[:4] + after[8 : len(before)] == before[:4] + before[8:]
    assert pyvips.Image.new_from_file(str(new), page=1).numpy().tolist() == photo[::-1].tolist()
    same_but_for_the_packet(decoder, path, new, FIRST)


def test_a_heic_with_a_packet_and_exif_of_another_program(
    photo: Any, exif_bytes: Any, decoder: Decoder, tmp_path: Path
):
    """Its item is used again, and the EXIF is found where it went."""
    path = tmp_path / "a.heic"
    exif = exif_bytes({271: "ACME"})
    old = merged(b"", Wanted(title="Old"))
    pillow_heif.from_pillow(Image.fromarray(photo)).save(path, exif=exif, xmp=old)
    assert packet_in(path) == old

    new = rewritten(path, LONGER, tmp_path / "b.heic")

    same_but_for_the_packet(decoder, path, new, LONGER)
    assert decoder.decode(bytes(new)).metadata.camera_make == "ACME"
    assert len(pillow_heif.open_heif(new).info["metadata"]) == 0


def test_a_heic_whose_description_comes_last(files: dict[str, Path], decoder: Decoder, tmp_path: Path):
    """What lies before the description does not move."""
    path = tmp_path / "a.heic"
    path.write_bytes(description_last(files["heic"].read_bytes()))
    assert [one.kind for one in boxes(within(path.read_bytes()), 0, path.stat().st_size)][-1] == b"meta"

    once = rewritten(path, FIRST, tmp_path / "once.heic")

    same_but_for_the_packet(decoder, path, once, FIRST)
    same_but_for_the_packet(decoder, path, rewritten(once, LONGER, tmp_path / "twice.heic"), LONGER)


def description_last(data: bytes) -> bytes:
    """A HEIC with its `meta` box behind its pixels."""
    read = within(data)
    head, described, *rest = [one for one in boxes(read, 0, len(data)) if one.kind != b"free"]
    assert described.kind == b"meta"
    length = described.end - described.start
    meta = meta_of(read, described)
    items = [
        replace(item, extents=tuple((i, at - (0 if item.base else length), n) for i, at, n in item.extents),
                base=item.base - length if item.base else 0)
        if item.method == IN_FILE else item
        for item in meta.locations.items
    ]  # fmt: skip
    return data[: head.end] + data[rest[0].start : rest[-1].end] + meta.with_items(items).written()


def test_a_heic_with_a_film_in_it_is_refused(files: dict[str, Path], tmp_path: Path):
    """Its chunks would have to move too."""
    (tmp_path / "a.heic").write_bytes(files["heic"].read_bytes() + box(b"moov", bytes(8)))

    with pytest.raises(Unreadable, match="a film beside its picture"):
        rewritten(tmp_path / "a.heic", FIRST, tmp_path / "b.heic")


def variants_of(film: bytes) -> dict[str, bytes]:
    """A video in the shapes that programs give it."""
    read = within(film)
    found = {one.kind: one for one in boxes(read, 0, len(film))}
    old = box(b"uuid", XMP_UUID + b"an old packet" * 50)
    data = found[b"mdat"]
    head = film[: data.start]
    open_ended = film[: data.start] + film[found[b"moov"].start :]  # the film's index first needs its offsets moved
    moved = shifted(open_ended[data.start :], len(film) - data.end)
    last = head + moved + b"\0\0\0\0mdat" + film[data.body : data.end]
    return {
        "as it is": film,
        "packet in the middle": film + old + box(b"free", bytes(5)),
        "two packets at the end": film + old + old,
        "index of fragments": film + box(b"mfra", b"index"),
        "packet before the index": film + old + box(b"mfra", b"index"),
        "open end": last,
    }


def shifted(moov: bytes, by: int) -> bytes:
    """A film's index with its chunks further behind: it stands before them now."""
    at = moov.index(b"stco") + 4
    (count,) = struct.unpack_from(">I", moov, at + 4)
    offsets = struct.unpack_from(f">{count}I", moov, at + 8)
    moved = struct.pack(f">{count}I", *(offset + by for offset in offsets))
    return moov[: at + 8] + moved + moov[at + 8 + 4 * count :]


@pytest.mark.parametrize(
    "shape",
    ["as it is", "packet in the middle", "two packets at the end", "index of fragments", "packet before the index",
     "open end"],
)  # fmt: skip
def test_a_film_never_moves(shape: str, files: dict[str, Path], decoder: Decoder, tmp_path: Path):
    """Whatever shape it has, its frames are found; there is one packet; an index of fragments stays last."""
    path = tmp_path / "a.mp4"
    path.write_bytes(variants_of(files["mp4"].read_bytes())[shape])

    once = rewritten(path, FIRST, tmp_path / "once.mp4")
    twice = rewritten(once, LONGER, tmp_path / "twice.mp4")

    same_but_for_the_packet(decoder, files["mp4"], once, FIRST)
    same_but_for_the_packet(decoder, files["mp4"], twice, LONGER)
    kinds = [one.kind for one in boxes(within(twice.read_bytes()), 0, twice.stat().st_size)]
    assert kinds.count(b"uuid") == 1
    assert (kinds[-1] == b"mfra") == ("index" in shape)


@pytest.mark.parametrize("kind", ["jpeg", "tiff", "dng", "heic", "avif", "mp4"])
def test_damaged_files_are_refused_or_written_whole(kind: str, files: dict[str, Path], tmp_path: Path):
    """Bytes changed and ends cut off at random: a sentence, or a file of the right length with the packet in it."""
    chance, whole = random.Random(kind), files[kind].read_bytes()
    path, refused = tmp_path / files[kind].name, list[str]()
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(min(len(data), 1200))] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
        path.write_bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
        try:
            assert packet_in(rewritten(path, FIRST, tmp_path / f"new{path.suffix}")) == FIRST
        except PhotoError as error:
            refused.append(str(error))
    assert 0 < len(refused) < 150
    assert all(refused)


def test_a_file_of_nothing_is_refused(tmp_path: Path):
    """Empty files and files of zeros are no pictures."""
    for number, data in enumerate((b"", bytes(4096), b"\xff\xd8", b"II*\0", b"\xff\xd8" + b"\xff" * 70_000)):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(data)
        with pytest.raises(Unreadable):
            rewritten(path, FIRST, tmp_path / "x.jpg")
