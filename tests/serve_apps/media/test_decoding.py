"""Every format comes out upright, in sRGB and with its derived pictures; everything else gets a sentence."""

import ast
import os
import struct
import threading
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from cluster.errors import TooLarge, Unreadable
from cluster.settings import MediaSettings
from serve_apps.media.addresses import EXTENSIONS, derived_path
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


def test_pil_is_never_handed_the_bytes_of_a_file(
    tmp_path: Path, samples: dict[str, Path], movie: Any, photo: Any, profile: Any, jpeg_bytes: Any, vips_image: Any
) -> None:
    """With every way by which PIL reads files barred, all formats still decode; and the bar itself works."""
    cmyk = tmp_path / "cmyk.jpeg"
    cmyk.write_bytes(vips_image(photo).icc_export(output_profile="cmyk").jpegsave_buffer())
    p3 = tmp_path / "p3.jpeg"
    p3.write_bytes(jpeg_bytes(icc=profile("p3")))
    cut = tmp_path / "cut.jpeg"
    cut.write_bytes(jpeg_bytes()[:9000])
    given = [*samples.values(), cmyk, p3, cut, movie(tmp_path / "film.mp4", [photo] * 3)]
    handed = tmp_path / "pil.jpeg"
    handed.write_bytes(jpeg_bytes())
    with Decoder(MediaSettings(), tmp_path / "derived", entry=(str(HERE / "pil_free_child.py"),)) as barred:
        for path in given:
            assert barred.decode(bytes(path)).derived["preview"]
            assert barred.rgb(bytes(path), 100).any()
        with pytest.raises(Unreadable, match="PilWasAsked"):
            barred.decode(bytes(handed))


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


def test_derived_pictures_have_their_sizes(tmp_path: Path, jpeg_bytes: Any, photo: Any) -> None:
    """Each is at most as large as the settings say, in the picture's shape; the square one is the middle."""
    path = tmp_path / "large.jpg"
    path.write_bytes(jpeg_bytes(np.asarray(Image.fromarray(photo).resize((1800, 1200)))))
    with Decoder(MediaSettings(), tmp_path / "derived") as decoder:
        decoded = decoder.decode(bytes(path))
    sizes = {}
    for size in EXTENSIONS:
        shown = pyvips.Image.new_from_file(str(derived_path(tmp_path / "derived", decoded.content_id, size)))
        sizes[size] = (shown.get("vips-loader"), shown.width, shown.height)
    assert sizes == {
        "preview": ("jpegload", 1440, 960),
        "big": ("webpload", 500, 333),
        "square": ("webpload", 250, 250),
        "small": ("webpload", 120, 80),
    }


def test_a_second_run_writes_nothing_and_a_forced_one_the_same_bytes(tmp_path: Path, samples: dict[str, Path]) -> None:
    """Derived pictures are made once: they keep their bytes and times, and force makes the same bytes again."""
    folder = tmp_path / "derived"
    with Decoder(MediaSettings(), folder) as decoder:
        first = decoder.decode(bytes(samples["jpeg"]))
        written = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")}
        assert decoder.decode(bytes(samples["jpeg"])) == first
        assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")} == written
        assert decoder.decode(bytes(samples["jpeg"]), force=True) == first
    again = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")}
    assert len(written) == 4
    assert {path: data for path, (data, _) in again.items()} == {path: data for path, (data, _) in written.items()}
    assert all(again[path][1] > written[path][1] for path in written)


def test_an_empty_derived_picture_is_made_again(tmp_path: Path, samples: dict[str, Path]) -> None:
    """A power cut may leave a file of no bytes; it does not count as there."""
    with Decoder(MediaSettings(), tmp_path) as decoder:
        decoded = decoder.decode(bytes(samples["jpeg"]))
        emptied = derived_path(tmp_path, decoded.content_id, "square")
        emptied.write_bytes(b"")
        assert decoder.decode(bytes(samples["jpeg"])) == decoded
        assert emptied.stat().st_size == decoded.derived["square"]


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


def sidecar_text(region: str = "") -> str:
    """An XMP sidecar as an editor writes it: a rating, keywords, a title, a place, and perhaps regions."""
    return f"""<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>
    <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
      xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmp:Rating="4"
      exif:GPSLatitude="48,51.504N" exif:GPSLongitude="2,17.67E">
      <dc:subject><rdf:Bag><rdf:li>space</rdf:li><rdf:li>portrait</rdf:li></rdf:Bag></dc:subject>
      <lr:hierarchicalSubject><rdf:Bag><rdf:li>People|Eileen</rdf:li></rdf:Bag></lr:hierarchicalSubject>
      <dc:title><rdf:Alt><rdf:li xml:lang="x-default">The astronaut</rdf:li></rdf:Alt></dc:title>{region}
    </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"""


FACE = """<mwg-rs:Regions xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
  xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"
  rdf:parseType="Resource"><mwg-rs:AppliedToDimensions stDim:w="240" stDim:h="360" stDim:unit="pixel"/>
  <mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="Eileen" mwg-rs:Type="Face">
  <mwg-rs:Area stArea:x="0.25" stArea:y="0.4" stArea:w="0.2" stArea:h="0.1" stArea:unit="normalized"/>
  </rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"""


def test_a_sidecar_is_merged_and_its_faces_turned_upright(
    tmp_path: Path, decoder: Decoder, jpeg_bytes: Any, exif_bytes: Any, photo: Any, stored_as: Any
) -> None:
    """Rating, keywords, title, place and a named face come from the sidecar; the face is where it is seen."""
    picture, sidecar = tmp_path / "photo.jpg", tmp_path / "photo.xmp"
    picture.write_bytes(jpeg_bytes(stored_as[6](photo), exif=exif_bytes(orientation=6)))
    sidecar.write_text(sidecar_text(FACE))
    known = decoder.decode(bytes(picture), bytes(sidecar)).metadata
    assert (known.rating, known.title) == (4, "The astronaut")
    assert known.keywords == ["space", "portrait", "People|Eileen"]
    assert (known.latitude, known.longitude) == pytest.approx((48.8584, 2.2945))
    (face,) = known.regions
    assert face.name == "Eileen"
    assert (face.left, face.top, face.right, face.bottom) == pytest.approx((0.55, 0.15, 0.65, 0.35))
    assert decoder.identify(bytes(sidecar)).metadata.rating == 4  # type: ignore[union-attr]


def test_a_broken_sidecar_costs_only_itself(tmp_path: Path, decoder: Decoder, samples: dict[str, Path]) -> None:
    """The photo is decoded and flagged; asked for alone, the sidecar says what is wrong."""
    for name, data in (("a.xmp", b"<x"), ("b.xmp", b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + sidecar_text().encode())):
        (tmp_path / name).write_bytes(data)
        assert decoder.decode(bytes(samples["jpeg"]), bytes(tmp_path / name)).flags == ["bad-sidecar"]
        with pytest.raises(Unreadable, match="XMP"):
            decoder.identify(bytes(tmp_path / name))
    assert decoder.decode(bytes(samples["jpeg"]), bytes(tmp_path / "none.xmp")).flags == ["bad-sidecar"]


def test_a_packet_inside_the_picture_is_read(
    tmp_path: Path, decoder: Decoder, jpeg_bytes: Any, vips_image: Any, photo: Any
) -> None:
    """Embedded XMP counts like a sidecar, in JPEG and in the formats of libvips."""
    (tmp_path / "a.jpg").write_bytes(jpeg_bytes(xmp=sidecar_text().encode()))
    image = vips_image(photo).copy()
    image.set_type(pyvips.GValue.blob_type, "xmp-data", sidecar_text().encode())
    for format in ("png", "webp", "tiff", "jpg"):
        if format != "jpg":
            image.write_to_file(str(tmp_path / f"a.{format}"))
        known = decoder.decode(bytes(tmp_path / f"a.{format}")).metadata
        assert (format, known.rating, known.title) == (format, 4, "The astronaut")


def test_the_time_is_taken_from_the_best_source_there_is(
    tmp_path: Path, decoder: Decoder, jpeg_bytes: Any, exif_bytes: Any
) -> None:
    """EXIF, then XMP, then the file's name, then its mtime; and the answer says which."""
    dated = sidecar_text("<exif:DateTimeOriginal>2021-02-03T04:05:06.5+01:00</exif:DateTimeOriginal>").encode()
    exif = exif_bytes(exif={36867: b"2022:03:04 05:06:07", 37521: b"25", 36881: b"+02:00"})
    path = tmp_path / "IMG_20200102_030405.jpg"
    os_time = datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
    answers = []
    for data, name in (
        (jpeg_bytes(exif=exif, xmp=dated), ""),
        (jpeg_bytes(xmp=dated), ""),
        (jpeg_bytes(), ""),
        (jpeg_bytes(), "a.jpg"),
    ):
        path.write_bytes(data)
        os.utime(path, (os_time, os_time))
        known = decoder.decode(bytes(path), name=name).metadata
        answers.append((known.taken_source, known.taken_at, known.taken_offset_min))
    assert answers == [
        ("exif", datetime(2022, 3, 4, 3, 6, 7, 250_000, tzinfo=UTC), 120),
        ("xmp", datetime(2021, 2, 3, 3, 5, 6, 500_000, tzinfo=UTC), 60),
        ("name", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), None),
        ("mtime", datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC), None),
    ]


READERS = {"open", "frombytes"}
HELPERS = {"to_image", "to_pillow", "register_heif_opener", "register_avif_opener", "ImageFile"}
PRODUCT = ("cluster", "serve_apps", "batch", "api")


def pil_readers(source: str) -> set[str]:
    """What a module takes from PIL, or from its relatives, that would read a file's bytes."""
    nodes = list(ast.walk(ast.parse(source)))
    imported = [node for node in nodes if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("PIL")]
    taken = {alias.name: alias.asname or alias.name for node in imported for alias in node.names}
    pil = {"PIL.Image", taken.get("Image", "PIL.Image")}
    attributes = [(ast.unparse(node.value), node.attr) for node in nodes if isinstance(node, ast.Attribute)]
    read = {name for owner, name in attributes if name in HELPERS or (name in READERS and owner in pil)}
    return read | {"ImageFile"} & set(taken)


def test_no_module_of_the_product_has_pil_open_anything() -> None:
    """Neither directly nor through the helpers of other libraries; and the search itself finds what it looks for."""
    assert pil_readers("from PIL import Image as Pil\nPil.open(x)") == {"open"}
    assert pil_readers("import PIL.Image\nPIL.Image.open(x)") == {"open"}
    assert pil_readers("from PIL import ImageFile") == {"ImageFile"}
    assert pil_readers("from PIL import Image\nwave.open(x); Image.fromarray(x)") == set()
    assert pil_readers("frame.to_image()") == {"to_image"}
    root = HERE.parents[2]
    modules = [path for package in PRODUCT for path in (root / package).rglob("*.py")]
    assert len(modules) > 30
    assert {str(path): found for path in modules if (found := pil_readers(path.read_text()))} == {}
