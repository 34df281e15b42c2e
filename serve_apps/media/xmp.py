"""XMP packets, from inside a picture or from a sidecar: rating, keywords, named faces, dates, place, title.

Parsed by defusedxml, and nothing with a DOCTYPE is. Leaves out everything an editor did to the picture.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from xml.etree.ElementTree import Element, ParseError

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from cluster.errors import Unreadable
from serve_apps.media.dates import of_iso, taken
from serve_apps.media.protocol import Metadata, Region
from serve_apps.media.texts import LIST_LENGTH, line, name, names, number, paragraph, within

MAX_PACKET = 16 << 20  # bytes; editors keep long histories
TOO_LONG = "that any editor writes into an XMP file; delete it, or write it anew"  # says what MAX_PACKET is
MOST = 10_000  # elements of a kind that are looked at; nobody has written so many keywords
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
XMP = "{http://ns.adobe.com/xap/1.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"
EXIF = "{http://ns.adobe.com/exif/1.0/}"
TIFF = "{http://ns.adobe.com/tiff/1.0/}"
PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
LIGHTROOM = "{http://ns.adobe.com/lightroom/1.0/}"
MWG_REGIONS = "{http://www.metadataworkinggroup.com/schemas/regions/}"
AREA = "{http://ns.adobe.com/xmp/sType/Area#}"
DIMENSIONS = "{http://ns.adobe.com/xap/1.0/sType/Dimensions#}"
OURS = "{urn:brightroom:xmp:1.0/}"
OUR_TAGS = OURS + "Tags"  # those of the keywords that a model chose and we wrote: nobody's own words
TIMES = (EXIF + "DateTimeOriginal", PHOTOSHOP + "DateCreated", XMP + "CreateDate")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # half of its bytes are zeros, which elsewhere are padding
NOTHING = Metadata()
LISTS = (RDF + "Bag", RDF + "Seq", RDF + "Alt")
COORDINATE = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])$")


@dataclass(frozen=True)
class Packet:
    """What a packet says. Its regions are fractions of a picture of these dimensions, which is not always upright."""

    metadata: Metadata = NOTHING
    dimensions: tuple[float, float] | None = None


def read(data: bytes) -> Packet:
    """What a packet says; raises Unreadable when it is no XMP."""
    if len(data) > MAX_PACKET:
        raise Unreadable("this XMP is far longer than any editor writes; delete it, or write it anew")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise Unreadable("this XMP defines entities of its own, which no editor does; delete it, or write it anew")
    try:
        root = fromstring(data if data.startswith(UTF_16) else data.strip(b"\0 \t\r\n"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Unreadable(f"this is no XMP that can be read ({str(error)[:100]}); delete it, or write it anew") from None
    nodes = (node for rdf in outermost(root, RDF + "RDF") for node in rdf.iterfind(RDF + "Description"))
    properties = Properties(list(islice(nodes, MOST)))
    if not properties.nodes:
        raise Unreadable("there is no XMP in this file; delete it, or write it anew")
    return Packet(metadata_of(properties), dimensions_of(properties))


@dataclass(frozen=True)
class Properties:
    """The properties of a packet, whether written as attributes or as elements."""

    nodes: list[Element] = field(default_factory=list)

    def elements(self, tag: str) -> Iterator[Element]:
        """The elements of a property."""
        return islice((found for node in self.nodes for found in node.iterfind(tag)), MOST)

    def text(self, tag: str) -> str:
        """A property's text, or the first of its alternatives; empty when absent."""
        attributes = (node.get(tag) for node in self.nodes)
        return next((text for text in (*attributes, *self.texts(tag)) if text), "")

    def texts(self, tag: str) -> list[str]:
        """A property's texts: every item of a list, or its own."""
        found = chain.from_iterable(items_of(element) or [element] for element in self.elements(tag))
        return [(item.text or "").strip() for item in islice(found, MOST)]


def metadata_of(properties: Properties) -> Metadata:
    """The properties as metadata."""
    moments = (taken(of_iso(properties.text(tag)), "xmp") for tag in TIMES)
    when = next((moment for moment in moments if moment.taken_at), Metadata())
    latitude, longitude, altitude = position_of(properties)
    return msgspec.structs.replace(
        when,
        latitude=latitude,
        longitude=longitude,
        altitude=altitude,
        camera_make=name(properties.text(TIFF + "Make")),
        camera_model=name(properties.text(TIFF + "Model")),
        rating=rating_of(properties),
        keywords=keywords_of(properties),
        regions=list(islice(regions_of(properties), LIST_LENGTH)),
        title=line(properties.text(DC + "title")),
        description=paragraph(properties.text(DC + "description")),
    )


def keywords_of(properties: Properties) -> list[str]:
    """The words that people gave; those that we wrote for a model are not theirs."""
    ours = set(properties.texts(OUR_TAGS))
    words = [*properties.texts(DC + "subject"), *properties.texts(LIGHTROOM + "hierarchicalSubject")]
    return names(word for word in words if word not in ours)


def rating_of(properties: Properties) -> int | None:
    """Stars from 0 to 5, or -1 for rejected."""
    stars = within(properties.text(XMP + "Rating"), -1, 5)
    return None if stars is None else round(stars)


def position_of(properties: Properties) -> tuple[float | None, float | None, float | None]:
    """Latitude, longitude, altitude in degrees and metres; all None when one of the first two is missing."""
    latitude = coordinate(properties.text(EXIF + "GPSLatitude"), 90)
    longitude = coordinate(properties.text(EXIF + "GPSLongitude"), 180)
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None, None
    altitude = quotient(properties.text(EXIF + "GPSAltitude"))
    below = properties.text(EXIF + "GPSAltitudeRef").strip() == "1"
    return latitude, longitude, within(-altitude if altitude is not None and below else altitude, -20_000, 1_000_000)


def coordinate(text: str, most: float) -> float | None:
    """`48,51.504N` or `48,51,30N` in degrees."""
    found = COORDINATE.match(text.strip())
    if not found:
        return None
    angle = int(found[1]) + float(found[2]) / 60 + float(found[3] or 0) / 3600
    return within(-angle if found[4] in "SW" else angle, -most, most)


def quotient(text: str) -> float | None:
    """`350/10` or `35` as a number."""
    above, _, below = text.partition("/")
    top, bottom = number(above), number(below or "1")
    return None if top is None or not bottom else top / bottom


def dimensions_of(properties: Properties) -> tuple[float, float] | None:
    """Width and height of the picture that the regions were drawn on."""
    for regions in properties.elements(MWG_REGIONS + "Regions"):
        parts = flattened(regions)
        width, height = (number(parts.get(DIMENSIONS + side)) for side in "wh")
        if width and height:
            return width, height
    return None


def regions_of(properties: Properties) -> Iterator[Region]:
    """The named faces, in the coordinates of the file."""
    for regions in properties.elements(MWG_REGIONS + "Regions"):
        for item in items_of(regions):
            if region := region_of(flattened(item)):
                yield region


def region_of(parts: dict[str, str]) -> Region | None:
    """A region as a named box; None for one that is no face, has no name or no size."""
    called, kind = name(parts.get(MWG_REGIONS + "Name")), parts.get(MWG_REGIONS + "Type", "Face")
    x, y, width, height = (number(parts.get(AREA + key)) for key in "xywh")
    if not called or kind != "Face" or parts.get(AREA + "unit", "normalized") != "normalized":
        return None
    if x is None or y is None or not width or not height:
        return None
    left, right = sorted(min(1.0, max(0.0, edge)) for edge in (x - width / 2, x + width / 2))
    top, bottom = sorted(min(1.0, max(0.0, edge)) for edge in (y - height / 2, y + height / 2))
    return Region(called, left, top, right, bottom) if left < right and top < bottom else None


def items_of(node: Element) -> list[Element]:
    """The items of the lists below a node. Lists inside an item are a part of it, and none of their items counts."""
    found = (item for listed in outermost(node, *LISTS) for item in listed.iterfind(RDF + "li"))
    return list(islice(found, MOST))


def outermost(node: Element, *tags: str) -> Iterator[Element]:
    """The elements of these names below a node, in their order, but for those inside one another.

    So what a caller reads of each is read once, however deep a hostile packet nests it.
    """
    waiting = [node]
    while waiting:
        inner = waiting.pop()
        if inner.tag in tags:
            yield inner
        else:
            waiting.extend(reversed(inner))


def flattened(node: Element) -> dict[str, str]:
    """Every attribute and every text below a node, by its name: RDF may nest the same thing in four ways."""
    parts: dict[str, str] = {}
    for inner in node.iter():
        for key, value in (*inner.attrib.items(), (inner.tag, (inner.text or "").strip())):
            if value:
                parts.setdefault(key, value)
    return parts
