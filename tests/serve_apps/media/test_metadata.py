"""Who is believed for what, and where a face is when the picture is upright."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pyvips

from cluster.errors import Unreadable
from serve_apps.media.box import Decoder
from serve_apps.media.metadata import Packets, merged, turned, upright_regions
from serve_apps.media.protocol import Metadata, Region
from serve_apps.media.xmp import Packet

NOTHING = Packet()
THEN, LATER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)


def test_a_sidecar_is_believed_before_the_file_but_not_for_the_time() -> None:
    """A person wrote it later; the camera knew when."""
    exif = Metadata(
        taken_at=THEN, taken_source="exif", rating=1, latitude=1.0, longitude=2.0, altitude=3.0, title="old"
    )
    sidecar = Packet(Metadata(taken_at=LATER, taken_source="xmp", rating=0, latitude=4.0, longitude=5.0, title="new"))
    known = merged(exif, Metadata(), Packets(sidecar, NOTHING), "a.jpg", 0)
    assert (known.taken_at, known.taken_source, known.rating, known.title) == (THEN, "exif", 0, "new")
    assert (known.latitude, known.longitude, known.altitude) == (4.0, 5.0, None)


def test_times_are_taken_in_the_order_of_trust() -> None:
    """EXIF, the container, XMP inside and beside, the name, the mtime."""

    def of(source: str) -> Metadata:
        return Metadata(taken_at=THEN, taken_source=source)  # type: ignore[arg-type]

    name, mtime = "IMG_20220102_030405.jpg", 10**18
    packets = Packets(Packet(of("xmp")), NOTHING)
    assert merged(of("exif"), of("quicktime"), packets, name, mtime).taken_source == "exif"
    assert merged(Metadata(), of("quicktime"), packets, name, mtime).taken_source == "quicktime"
    assert merged(Metadata(), Metadata(), packets, name, mtime).taken_source == "xmp"
    assert merged(Metadata(), Metadata(), Packets(NOTHING, NOTHING), name, mtime).taken_source == "name"
    assert merged(Metadata(), Metadata(), Packets(NOTHING, NOTHING), "a.jpg", mtime).taken_source == "mtime"


def test_keywords_of_all_sources_are_joined() -> None:
    """Each once, the sidecar's first."""
    packets = Packets(Packet(Metadata(keywords=["b", "a"])), Packet(Metadata(keywords=["a", "c"])))
    assert merged(Metadata(), Metadata(), packets, "", 0).keywords == ["b", "a", "c"]


STORED = {  # where the upright box (0.1, 0.2, 0.4, 0.3) lies in the stored picture
    1: (0.1, 0.2, 0.4, 0.3), 2: (0.6, 0.2, 0.9, 0.3), 3: (0.6, 0.7, 0.9, 0.8), 4: (0.1, 0.7, 0.4, 0.8),
    5: (0.2, 0.1, 0.3, 0.4), 6: (0.2, 0.6, 0.3, 0.9), 7: (0.7, 0.6, 0.8, 0.9), 8: (0.7, 0.1, 0.8, 0.4),
}  # fmt: skip


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_face_is_turned_with_its_picture(orientation: int) -> None:
    """For all eight orientations."""
    face = turned(Region("Ann", *STORED[orientation]), orientation)
    assert (face.left, face.top, face.right, face.bottom) == pytest.approx((0.1, 0.2, 0.4, 0.3))


def test_a_face_drawn_on_the_upright_picture_is_not_turned_again() -> None:
    """The dimensions written beside the faces tell."""
    region = Region("Ann", 0.1, 0.2, 0.4, 0.3)
    drawn_upright = Packet(Metadata(regions=[region]), (3000.0, 4000.0))
    drawn_stored = Packet(Metadata(regions=[region]), (4000.0, 3000.0))
    assert upright_regions(Packets(drawn_upright, NOTHING), 6, 3000, 4000) == [region]
    assert upright_regions(Packets(drawn_stored, NOTHING), 6, 3000, 4000) == [turned(region, 6)]
    assert upright_regions(Packets(NOTHING, drawn_stored), 1, 4000, 3000) == [region]


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
