"""XMP: ratings, keywords, faces, dates and places in the several ways editors write them."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cluster.errors import TooLarge, Unreadable
from serve_apps.media import xmp
from serve_apps.media.box import Decoder

NAMESPACES = (
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
    'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
    'xmlns:lr="http://ns.adobe.com/lightroom/1.0/" '
    'xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
    'xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"'
)


def packet(inside: str, attributes: str = "") -> bytes:
    """A packet around some properties."""
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {NAMESPACES}><rdf:Description rdf:about="" {attributes}>'
        f"{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


@pytest.mark.parametrize(
    ("written", "stars"), [("5", 5), ("0", 0), ("-1", -1), ("3.0", 3), ("9", None), ("many", None)]
)
def test_a_rating_may_be_an_attribute_or_an_element(written: str, stars: int | None) -> None:
    """Both ways mean the same; -1 is rejected."""
    assert xmp.read(packet("", f'xmp:Rating="{written}"')).metadata.rating == stars
    assert xmp.read(packet(f"<xmp:Rating> {written} </xmp:Rating>")).metadata.rating == stars


def test_keywords_are_those_of_both_lists_each_once() -> None:
    """Flat ones first, then hierarchical ones as they were written."""
    inside = (
        "<dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li> sea </rdf:li><rdf:li>a&#10;b</rdf:li></rdf:Bag></dc:subject>"
        "<lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Sea</rdf:li></rdf:Bag></lr:hierarchicalSubject>"
    )
    assert xmp.read(packet(inside)).metadata.keywords == ["sea", "a b", "Places|Sea"]


def face(area: str, rest: str = 'mwg-rs:Name="Ann" mwg-rs:Type="Face"') -> str:
    """Regions with one area, written compactly."""
    return (
        '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag><rdf:li>'
        f"<rdf:Description {rest}><mwg-rs:Area {area}/></rdf:Description>"
        "</rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


AREA = 'stArea:x="0.5" stArea:y="0.4" stArea:w="0.2" stArea:h="0.1" stArea:unit="normalized"'
VERBOSE = """<mwg-rs:Regions><rdf:Description><mwg-rs:AppliedToDimensions rdf:parseType="Resource">
  <stDim:w>4000</stDim:w><stDim:h>3000</stDim:h></mwg-rs:AppliedToDimensions><mwg-rs:RegionList><rdf:Seq>
  <rdf:li rdf:parseType="Resource"><mwg-rs:Name>Ann</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type>
  <mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.5</stArea:x><stArea:y>0.4</stArea:y><stArea:w>0.2</stArea:w>
  <stArea:h>0.1</stArea:h></mwg-rs:Area></rdf:li></rdf:Seq></mwg-rs:RegionList></rdf:Description></mwg-rs:Regions>"""


@pytest.mark.parametrize("inside", [face(AREA), VERBOSE])
def test_a_named_face_is_a_box_however_it_is_written(inside: str) -> None:
    """The middle and size of the packet become edges."""
    (region,) = xmp.read(packet(inside)).metadata.regions
    assert region.name == "Ann"
    assert (region.left, region.top, region.right, region.bottom) == pytest.approx((0.4, 0.35, 0.6, 0.45))


def test_the_dimensions_that_faces_were_drawn_on_are_known() -> None:
    """They tell whether the editor turned the picture first."""
    assert xmp.read(packet(VERBOSE)).dimensions == (4000, 3000)
    assert xmp.read(packet(face(AREA))).dimensions is None


@pytest.mark.parametrize(
    "inside",
    [
        face(AREA, 'mwg-rs:Name="" mwg-rs:Type="Face"'),
        face(AREA, 'mwg-rs:Name="Rex" mwg-rs:Type="Pet"'),
        face(AREA.replace("normalized", "pixel")),
        face(AREA.replace('"0.2"', '"0"')),
        face(AREA.replace('"0.5"', '"NaN"')),
        face(AREA.replace('"0.5"', '"7"')),
        face('stArea:x="0.5"'),
    ],
)
def test_what_is_no_named_face_is_left_out(inside: str) -> None:
    """Pets, pixels, no name, no size, outside the picture."""
    assert xmp.read(packet(inside)).metadata.regions == []


def test_a_face_at_the_edge_is_cut_to_the_picture() -> None:
    """Boxes never leave the picture."""
    (region,) = xmp.read(packet(face(AREA.replace('"0.5"', '"0.95"')))).metadata.regions
    assert region.right == 1


def test_times_places_and_texts_are_read() -> None:
    """The shutter before the editor's own dates; degrees and minutes; the first language."""
    known = xmp.read(
        packet(
            "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Sea</rdf:li><rdf:li>Meer</rdf:li></rdf:Alt></dc:title>"
            "<dc:description><rdf:Alt><rdf:li>Long\n ago</rdf:li></rdf:Alt></dc:description>",
            'xmp:CreateDate="2020-01-01T00:00:00" photoshop:DateCreated="2019" exif:GPSLatitude="33,51,24.5S" '
            'exif:GPSLongitude="151,12.918E" exif:GPSAltitude="41/10" exif:GPSAltitudeRef="1" tiff:Make="ACME" '
            'tiff:Model="Box"',
        )
    ).metadata
    assert (known.taken_at, known.taken_source) == (datetime(2020, 1, 1, tzinfo=UTC), "xmp")
    assert (known.latitude, known.longitude) == pytest.approx((-33.856806, 151.2153), abs=1e-5)
    assert known.altitude == -4.1
    assert (known.title, known.description) == ("Sea", "Long ago")
    assert (known.camera_make, known.camera_model) == ("ACME", "Box")


@pytest.mark.parametrize("text", ["48,51.504", "48.8584", "95,0N", "x", "", "48,99999999N"])
def test_a_coordinate_of_another_form_is_none(text: str) -> None:
    """Nothing is guessed."""
    assert xmp.coordinate(text, 90) is None


@pytest.mark.parametrize(
    "data",
    [
        b"", b"<", b"<x/>", b"hello", packet("").replace(b"<rdf:Description", b"<rdf:Other"), b"\xff\xfe\0<",
        b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>" + packet("<dc:title>&b;</dc:title>"),
        b"<?xml version='1.0' encoding='klingon'?>" + packet(""),
        packet("<dc:title>" + "<a>" * 5000),
    ],
)  # fmt: skip
def test_what_is_no_xmp_gets_a_sentence(data: bytes) -> None:
    """Damaged, foreign, or with entities of its own."""
    with pytest.raises(Unreadable, match="XMP"):
        xmp.read(data)


def test_what_is_nested_in_an_item_is_no_item_of_its_own() -> None:
    """An item is what stands directly in a list; lists inside it are no lists of keywords or faces."""
    inner = "<rdf:li>c</rdf:li><rdf:Bag><rdf:li>d</rdf:li></rdf:Bag>"
    inside = f"<dc:subject><rdf:Bag><rdf:li>a</rdf:li><rdf:li>b{inner}</rdf:li></rdf:Bag></dc:subject>"
    assert xmp.read(packet(inside)).metadata.keywords == ["a", "b"]
    again = f"</rdf:Description><rdf:Bag>{item(face(AREA))}{item(face(AREA))}</rdf:Bag></rdf:li>"
    assert len(xmp.read(packet(face(AREA).replace("</rdf:Description></rdf:li>", again))).metadata.regions) == 1


def item(inside: str) -> str:
    """Something as an item of a list."""
    return f"<rdf:li>{inside}</rdf:li>"


LI, DESCRIPTION, BAG = "<rdf:li>", "<rdf:Description>", "<rdf:Bag>"


@pytest.mark.parametrize(
    ("levels", "nested"),
    [
        (20_000, (LI,)),
        (20_000, (BAG, LI)),
        (40_000, (f"<rdf:RDF>{DESCRIPTION}<mwg-rs:Regions>",)),
        (10_000, ("<mwg-rs:Regions><mwg-rs:RegionList>", BAG, LI, DESCRIPTION)),
    ],
)
def test_a_sidecar_nested_without_end_does_no_harm(
    tmp_path: Path, decoder: Decoder, samples: dict[str, Path], levels: int, nested: tuple[str, ...]
) -> None:
    """Its photo is decoded with what the sidecar says, before the child's time is up."""
    opened = "".join(nested)
    closed = "".join(f"</{tag}>" for tag in reversed(re.findall(r"<([^>]+)>", opened)))
    regions = f"<mwg-rs:Regions><mwg-rs:RegionList>{BAG}{opened * levels}{closed * levels}</rdf:Bag>"
    inside = f"<xmp:Rating>3</xmp:Rating>{regions}</mwg-rs:RegionList></mwg-rs:Regions>"
    (tmp_path / "a.xmp").write_bytes(packet(inside))
    decoded = decoder.decode(bytes(samples["jpeg"]), bytes(tmp_path / "a.xmp"))
    assert (decoded.flags, decoded.metadata.rating) == ([], 3)


def test_lists_without_end_are_cut() -> None:
    """No more is looked at than anybody can have written."""
    inside = (
        "<dc:subject><rdf:Bag>" + "".join(f"<rdf:li>{k}</rdf:li>" for k in range(20_000)) + "</rdf:Bag></dc:subject>"
    )
    assert xmp.read(packet(inside)).metadata.keywords == [str(number) for number in range(500)]
    assert xmp.read(packet("<dc:subject>a</dc:subject>" * 20_000)).metadata.keywords == ["a"]


def test_an_absurdly_long_packet_is_not_parsed() -> None:
    """Sixteen megabytes are more than any editor writes."""
    with pytest.raises(Unreadable, match="far longer"):
        xmp.read(packet("") + b" " * xmp.MAX_PACKET)


def test_a_sidecar_that_is_too_long_is_told_its_own_limit(tmp_path: Path, decoder: Decoder) -> None:
    """No setting would make it shorter."""
    (tmp_path / "a.xmp").write_bytes(packet("") + b" " * (20 << 20))
    with pytest.raises(TooLarge, match="20 MB, over the 16 MB that any editor writes into an XMP file; delete it"):
        decoder.identify(bytes(tmp_path / "a.xmp"))


def test_padding_around_a_packet_does_no_harm() -> None:
    """Editors leave room to grow, and end with zeros."""
    assert xmp.read(b"\xef\xbb\xbf" + packet("", 'xmp:Rating="2"') + b" \n" * 1000 + b"\0\0").metadata.rating == 2
    wide = "\ufeff" + packet("", 'xmp:Rating="2"').decode()
    assert xmp.read(wide.encode("utf-16-le")).metadata.rating == 2
