"""What cameras and programs write about a photo: EXIF, Apple's content identifier, XMP sidecars. No pixels here."""

import struct
from datetime import datetime
from xml.sax.saxutils import escape

import piexif
from piexif import GPSIFD, ExifIFD, ImageIFD

from tests.sample_library.plan import Shot
from tests.sample_library.truth import Camera, FaceRegion, Sidecar

APPLE_CONTENT_ID = 0x11

XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
    xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"{attributes}>
{elements}  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""
REGION = """     <rdf:li><rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="Face"><mwg-rs:Area
      stArea:x="{x:.4f}" stArea:y="{y:.4f}" stArea:w="{w:.4f}" stArea:h="{h:.4f}" stArea:unit="normalized"/>
     </rdf:Description></rdf:li>
"""


def exif_of(shot: Shot) -> dict[str, dict[int, object]]:
    """The photo's EXIF as piexif takes it; empty for a photo that has none."""
    if shot.source != "exif" or shot.camera is None:
        return {}
    return {
        "0th": {
            ImageIFD.Make: shot.camera.make,
            ImageIFD.Model: shot.camera.model,
            ImageIFD.Orientation: shot.orientation,
            ImageIFD.DateTime: stamp(shot.taken),
        },
        "Exif": times(shot) | exposure(shot.camera) | maker_note(shot.live_id),
        "GPS": position(shot),
    }


def times(shot: Shot) -> dict[int, object]:
    """When it was taken: wall clock, its offset and parts of the second."""
    written: dict[int, object] = {
        ExifIFD.DateTimeOriginal: stamp(shot.taken),
        ExifIFD.DateTimeDigitized: stamp(shot.taken),
    }
    if shot.offset_min is not None:
        written[ExifIFD.OffsetTimeOriginal] = f"{shot.taken:%z}"[:3] + ":" + f"{shot.taken:%z}"[3:]
    if shot.subsecond:
        written[ExifIFD.SubSecTimeOriginal] = shot.subsecond
    return written


def stamp(taken: datetime) -> str:
    """A time as EXIF writes it."""
    return f"{taken:%Y:%m:%d %H:%M:%S}"


def exposure(camera: Camera) -> dict[int, object]:
    """How it was exposed, and through what."""
    return {
        ExifIFD.ISOSpeedRatings: camera.iso,
        ExifIFD.FNumber: (round(camera.f_number * 10), 10),
        ExifIFD.ExposureTime: camera.exposure,
        ExifIFD.FocalLength: (round(camera.focal_mm * 10), 10),
        ExifIFD.LensModel: camera.lens,
    }


def position(shot: Shot) -> dict[int, object]:
    """Where it was taken, as EXIF's degrees, minutes and seconds."""
    if shot.place is None:
        return {}
    latitude, longitude = coordinates(shot)
    return {
        GPSIFD.GPSVersionID: (2, 3, 0, 0),
        GPSIFD.GPSLatitudeRef: "N" if latitude >= 0 else "S",
        GPSIFD.GPSLatitude: sexagesimal(latitude),
        GPSIFD.GPSLongitudeRef: "E" if longitude >= 0 else "W",
        GPSIFD.GPSLongitude: sexagesimal(longitude),
        GPSIFD.GPSAltitudeRef: int(shot.place.altitude < 0),
        GPSIFD.GPSAltitude: (round(abs(shot.place.altitude) * 10), 10),
    }


def coordinates(shot: Shot) -> tuple[float, float]:
    """Latitude and longitude of a photo that has a place, in degrees."""
    return round(shot.place.latitude + shot.nudge, 6), round(shot.place.longitude + shot.nudge, 6)


def sexagesimal(degrees: float) -> tuple[tuple[int, int], ...]:
    """Degrees as three fractions; a hundred-thousandth of a second is kept."""
    ticks = round(abs(degrees) * 3600 * 100_000)
    minutes, seconds = divmod(ticks, 60 * 100_000)
    return (minutes // 60, 1), (minutes % 60, 1), (seconds, 100_000)


def maker_note(live_id: str) -> dict[int, object]:
    """Apple's note with one entry, the id that a Live Photo's picture and video share."""
    if not live_id:
        return {}
    text = live_id.encode() + b"\0"
    start = b"Apple iOS\0\0\x01MM"
    directory = struct.pack(">HHHII", 1, APPLE_CONTENT_ID, 2, len(text), len(start) + 18)
    return {ExifIFD.MakerNote: start + directory + bytes(4) + text}


def exif_bytes(shot: Shot) -> bytes:
    """The photo's EXIF block, or nothing."""
    exif = exif_of(shot)
    return piexif.dump(exif) if exif else b""


def xmp_text(sidecar: Sidecar) -> str:
    """The text of an XMP sidecar."""
    attributes = ""
    if sidecar.rating is not None:
        attributes += f'\n    xmp:Rating="{sidecar.rating}"'
    if sidecar.taken:
        attributes += f'\n    exif:DateTimeOriginal="{sidecar.taken.isoformat()}"'
    return XMP.format(attributes=attributes, elements=keywords(sidecar.keywords) + regions(sidecar.regions))


def keywords(words: tuple[str, ...]) -> str:
    """Keywords as XMP's unordered list."""
    items = "".join(f"<rdf:li>{escape(word)}</rdf:li>" for word in words)
    return f"   <dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>\n" if words else ""


def regions(faces: tuple[FaceRegion, ...]) -> str:
    """Named faces: the centres and sizes of their boxes."""
    items = "".join(
        REGION.format(
            name=escape(face.name), x=(face.left + face.right) / 2, y=(face.top + face.bottom) / 2,
            w=face.right - face.left, h=face.bottom - face.top,
        )
        for face in faces
    )  # fmt: skip
    opening = '   <mwg-rs:Regions rdf:parseType="Resource">\n    <mwg-rs:RegionList><rdf:Bag>\n'
    return f"{opening}{items}    </rdf:Bag></mwg-rs:RegionList>\n   </mwg-rs:Regions>\n" if faces else ""
