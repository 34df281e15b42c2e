"""What is known of a photo, put into an XMP packet: rating, title, caption, words, faces, place and time.

Whatever else a packet says stays. A description that a person wrote is not replaced by a caption, nor do a model's tags
become a person's keywords: the packet notes which of its words are ours. Leaves out the text of it (xmp_text.py) and
where a packet is kept (inside.py).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from xml.etree.ElementTree import Element, SubElement

import msgspec

from serve_apps.media import metadata
from serve_apps.media.picture import SIDEWAYS
from serve_apps.media.protocol import Metadata, Region
from serve_apps.media.texts import line, name, paragraph
from serve_apps.media.xmp import (
    AREA,
    DC,
    DIMENSIONS,
    EXIF,
    LIGHTROOM,
    LISTS,
    MWG_REGIONS,
    OUR_TAGS,
    OURS,
    PHOTOSHOP,
    RDF,
    XMP,
    flattened,
    items_of,
    outermost,
    region_of,
)
from serve_apps.media.xmp_text import Document

SAME_PLACE = 1e-6  # degrees; a tenth of a metre
SAME_HEIGHT = 0.01  # metres
SAME_BOX, SAME_FACE = 0.8, 0.5  # parts that two boxes share: the same box; boxes of one face
DAY_MIN = 1440
OUR_CAPTION = OURS + "Caption"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a packet is to say of a photo; None and empty: nothing about that.

    `width`, `height` and all regions are of the upright picture, `orientation` is how the stored one lies. Of `refused`
    regions only the boxes count: nobody in them is to be named but by `regions`.
    """

    rating: int | None = None
    title: str = ""
    caption: str = ""
    keywords: list[str] = []
    tags: list[str] = []
    regions: list[Region] = []
    refused: list[Region] = []
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    taken_at: datetime | None = None
    taken_offset_min: int | None = None
    width: int = 0
    height: int = 0
    orientation: int = 1


def merged(packet: bytes, wanted: Wanted) -> bytes:
    """The packet (b"" for none) with what is wanted in it; the very same bytes when it says all of it.

    Raises Unreadable for a packet that is no XMP: what cannot be read is not thrown away.
    """
    document = Document(packet)
    changed = [put(document, wanted) for put in (rating, title, caption, words, place, time, regions)]
    return document.packet() if any(changed) else packet


def only_found(wanted: Wanted) -> Wanted:
    """Of what is wanted, what was found in the picture: a file can say that in a packet alone."""
    return msgspec.structs.replace(wanted, rating=None, title="", keywords=[], latitude=None, taken_at=None)


def is_said(said: Metadata, wanted: Wanted, before: Metadata | None = None) -> bool:
    """Whether metadata say the rest of it, or else what they said before: not every source gives way to a packet."""
    words = {word.casefold() for word in said.keywords}
    fits = (
        (said.rating, wanted.rating in (None, said.rating), "rating"),
        (said.title, line(wanted.title) in ("", said.title), "title"),
        (said.latitude, wanted.latitude is None or same_place(said, wanted), "latitude"),
        (said.taken_at, wanted.taken_at is None or same_time(said, wanted), "taken_at"),
    )
    single = all(fit or (before and value and value == getattr(before, name)) for value, fit, name in fits)
    return single and all(word.casefold() in words for word in distinct(wanted.keywords))


def same_time(said: Metadata, wanted: Wanted) -> bool:
    """Whether metadata say the time that is wanted."""
    return (said.taken_at, said.taken_offset_min) == (wanted.taken_at, wanted.taken_offset_min)


def rating(document: Document, wanted: Wanted) -> bool:
    """Set the stars; whether that changed anything."""
    if wanted.rating is None or document.said.metadata.rating == wanted.rating:
        return False
    document.set(XMP + "Rating", str(wanted.rating))
    return True


def title(document: Document, wanted: Wanted) -> bool:
    """Set the title; whether that changed anything."""
    wish = line(wanted.title)
    if not wish or document.said.metadata.title == wish:
        return False
    document.set_words(DC + "title", wish)
    return True


def caption(document: Document, wanted: Wanted) -> bool:
    """Set the caption, unless somebody else described the photo; whether that changed anything."""
    said, wish = document.said.metadata.description, paragraph(wanted.caption)
    if not wish or said == wish or (said and said != paragraph(document.properties.text(OUR_CAPTION))):
        return False
    document.set_words(DC + "description", wish)
    document.set(OUR_CAPTION, wish)
    return True


def words(document: Document, wanted: Wanted) -> bool:
    """Set keywords and tags without doubles, and which are a model's; whether that changed anything."""
    before, ours = (document.properties.texts(tag) for tag in (DC + "subject", OUR_TAGS))
    alien = {word.casefold() for word in ours} - {word.casefold() for word in wanted.keywords}
    persons = [word for word in before if name(word).casefold() not in alien]
    elsewhere = document.properties.texts(LIGHTROOM + "hierarchicalSubject")
    kept = distinct([*persons, *(word for word in wanted.keywords if word not in elsewhere)])
    tags = distinct([*kept, *(wanted.tags or ours)])[len(kept) :]
    if distinct(before) == [*kept, *tags] and ours == tags:
        return False
    document.set_bag(DC + "subject", [*kept, *tags])
    document.set_bag(OUR_TAGS, tags)
    return True


def distinct(texts: Iterable[str]) -> list[str]:
    """Words cleaned, each once, whatever its case."""
    kept: dict[str, str] = {}
    for text in texts:
        if word := name(text):
            kept.setdefault(word.casefold(), word)
    return list(kept.values())


def place(document: Document, wanted: Wanted) -> bool:
    """Set where it was taken; whether that changed anything."""
    if wanted.latitude is None or wanted.longitude is None or same_place(document.said.metadata, wanted):
        return False
    document.set(EXIF + "GPSLatitude", coordinate(wanted.latitude, "NS"))
    document.set(EXIF + "GPSLongitude", coordinate(wanted.longitude, "EW"))
    if wanted.altitude is not None:
        document.set(EXIF + "GPSAltitude", f"{round(abs(wanted.altitude) * 1000)}/1000")
        document.set(EXIF + "GPSAltitudeRef", str(int(wanted.altitude < 0)))
    return True


def same_place(said: Metadata, wanted: Wanted) -> bool:
    """Whether metadata say the place that is wanted."""
    pairs = ((said.latitude, wanted.latitude), (said.longitude, wanted.longitude))
    there = all(one is not None and two is not None and abs(one - two) < SAME_PLACE for one, two in pairs)
    if wanted.altitude is None:
        return there
    return there and said.altitude is not None and abs(said.altitude - wanted.altitude) < SAME_HEIGHT


def coordinate(angle: float, hemispheres: str) -> str:
    """Degrees as XMP has them: `41,8.976000N`."""
    whole, millionths = divmod(round(abs(angle) * 60 * 1_000_000), 60 * 1_000_000)
    return f"{whole},{millionths / 1_000_000:.6f}{hemispheres[angle < 0]}"


def time(document: Document, wanted: Wanted) -> bool:
    """Set when it was taken, by the clock on the wall; whether that changed anything."""
    if wanted.taken_at is None or same_time(document.said.metadata, wanted):
        return False
    wall = moment(wanted.taken_at, wanted.taken_offset_min)
    document.set(EXIF + "DateTimeOriginal", wall)
    document.set(PHOTOSHOP + "DateCreated", wall)
    return True


def moment(utc: datetime, offset_min: int | None) -> str:
    """A moment as XMP has it; without an offset when none is known."""
    if offset_min is None or abs(offset_min) >= DAY_MIN:
        return utc.replace(tzinfo=None).isoformat()
    return utc.astimezone(timezone(timedelta(minutes=offset_min))).isoformat()


def regions(document: Document, wanted: Wanted) -> bool:
    """Add the named faces that are not named so yet; other names for these and refused ones go. Whether that changed"""
    turn = metadata.turn_of(document.said.dimensions, wanted.orientation, wanted.width, wanted.height)
    there = [metadata.turned(region, turn) for region in document.said.metadata.regions]
    new = [face for face in wanted.regions if name(face.name) and not any(same_person(face, other) for other in there)]
    kept = [other for other in there if any(same_person(face, other) for face in wanted.regions)]
    refused = [other for other in there if other not in kept and overlaps(other, wanted.refused)]
    if not new and not refused:
        return False
    over = [stored_region(face, turn) for face in [*new, *refused]]
    listed = region_list(document, wanted, turn)
    for group in outermost(listed, *LISTS):
        for item in group.findall(RDF + "li"):
            if (found := region_of(flattened(item))) and overlaps(found, over):
                group.remove(item)
    add(next(outermost(listed, *LISTS)), [stored_region(face, turn) for face in new])
    return True


def overlaps(one: Region, others: Iterable[Region]) -> bool:
    """Whether a region is of the same face as one of the others."""
    return any(shared(one, other) > SAME_FACE for other in others)


def same_person(one: Region, other: Region) -> bool:
    """Whether two regions name the same face the same way."""
    return name(one.name) == other.name and shared(one, other) > SAME_BOX


def shared(one: Region, other: Region) -> float:
    """How much of two boxes is common to both, 0 to 1."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    both = max(0.0, width) * max(0.0, height)
    areas = [(box.right - box.left) * (box.bottom - box.top) for box in (one, other)]
    return both / (sum(areas) - both) if sum(areas) > both else 0.0


def stored_region(region: Region, orientation: int) -> Region:
    """A region of the upright picture as one of the stored picture: the way back from `metadata.turned`."""
    back = {6: 8, 8: 6}.get(orientation, orientation)  # the other six undo themselves
    return metadata.turned(region, back)


def region_list(document: Document, wanted: Wanted, turn: int) -> Element:
    """The element with the list of regions, made when there is none."""
    found = [one for one in document.properties.elements(MWG_REGIONS + "Regions") if items_of(one)]
    if found:
        return found[0]
    regions = document.put(MWG_REGIONS + "Regions")
    regions.set(RDF + "parseType", "Resource")
    width, height = (wanted.height, wanted.width) if turn in SIDEWAYS else (wanted.width, wanted.height)
    sides = {DIMENSIONS + "w": str(width), DIMENSIONS + "h": str(height), DIMENSIONS + "unit": "pixel"}
    SubElement(regions, MWG_REGIONS + "AppliedToDimensions", sides)
    SubElement(SubElement(regions, MWG_REGIONS + "RegionList"), RDF + "Bag")
    return regions


def add(group: Element, faces: Iterable[Region]) -> None:
    """Add faces to a list of regions."""
    for face in faces:
        item = SubElement(group, RDF + "li", {RDF + "parseType": "Resource"})
        middle = {"x": (face.left + face.right) / 2, "y": (face.top + face.bottom) / 2}
        sizes = {"w": face.right - face.left, "h": face.bottom - face.top}
        box = {AREA + key: f"{value:.6f}" for key, value in (middle | sizes).items()}
        SubElement(item, MWG_REGIONS + "Area", {**box, AREA + "unit": "normalized"})
        SubElement(item, MWG_REGIONS + "Name").text = name(face.name)
        SubElement(item, MWG_REGIONS + "Type").text = "Face"
