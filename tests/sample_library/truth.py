"""What is true of the sample library: what a scan that makes no mistake finds in it. Plain data.

Paths are below the library's folder, as Python's file system strings: `os.fsencode` gives back the raw bytes of a name
that is no UTF-8. Times are UTC; a photo without an offset says its wall clock time, read as UTC.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

Kind = Literal["image", "raw", "video"]
TimeSource = Literal["exif", "quicktime", "xmp", "name", "mtime"]
FailureKind = Literal["unreadable", "too large"]
SkipReason = Literal["matches a skip pattern", "a symbolic link", "not a regular file", "not a photo or video"]


@dataclass(frozen=True)
class Place:
    """A place as the reverse geocoder names it; degrees, and metres above the sea."""

    name: str
    county: str
    state: str
    country: str
    country_code: str
    latitude: float
    longitude: float
    altitude: float


@dataclass(frozen=True)
class Camera:
    """What a camera writes about itself and its exposure; `name` forms a file name from a running number."""

    make: str
    model: str
    lens: str
    iso: int
    f_number: float
    exposure: tuple[int, int]  # seconds, as a fraction
    focal_mm: float
    name: str


@dataclass(frozen=True)
class FaceRegion:
    """A named face: edges as fractions of the upright picture."""

    name: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Sidecar:
    """What an XMP sidecar says; `full_name`: it is called a.jpg.xmp rather than a.xmp."""

    rating: int | None = None
    keywords: tuple[str, ...] = ()
    regions: tuple[FaceRegion, ...] = ()
    taken: datetime | None = None  # aware
    full_name: bool = False


@dataclass(frozen=True)
class ExpectedPhoto:
    """One photo as people should see it: a main file and everything that belongs to it."""

    main: str
    kind: Kind
    files: tuple[str, ...]  # main file, variants, sidecars and copies
    width: int  # pixels, upright
    height: int
    taken_at: datetime
    taken_offset_min: int | None
    taken_source: TimeSource
    camera: Camera | None
    place: Place | None
    latitude: float | None
    longitude: float | None
    orientation: int
    people: tuple[str, ...]  # labels of the ORL people whose faces it shows
    strangers: int  # further faces: an astronaut's, and a cameraman's from the side
    sidecar: Sidecar | None
    live_id: str
    duration_s: float | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class SampleLibrary:
    """The library that was written, and all that should be found in it."""

    folder: Path
    photos: tuple[ExpectedPhoto, ...]
    failed: Mapping[str, FailureKind]
    skipped: Mapping[str, SkipReason]
    queries: Mapping[str, str]  # a text -> the main file of the photo that must come first
    bursts: tuple[tuple[str, ...], ...]  # main files, in the order they were taken
    orientations: tuple[str, ...]  # one picture stored in each of EXIF's eight orientations, 1 to 8
    text: Mapping[str, str]  # main file -> words that can be read in the picture

    def photo(self, main: str) -> ExpectedPhoto:
        """The photo with this main file. Raises KeyError."""
        return {photo.main: photo for photo in self.photos}[main]

    @property
    def people(self) -> dict[str, tuple[str, ...]]:
        """The label of each person -> main files of the photos that show the person."""
        found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
        for photo in self.photos:
            for person in photo.people:
                found[person] += (photo.main,)
        return dict(found)

    @property
    def places(self) -> dict[str, Place]:
        """The places that photos were taken at, by name."""
        return {photo.place.name: photo.place for photo in self.photos if photo.place}

    @property
    def counts(self) -> dict[str, int]:
        """How many photos of each kind there are, and of the files: listed = committed + failed + skipped."""
        kinds = Counter(photo.kind for photo in self.photos)
        committed = sum(len(photo.files) for photo in self.photos)
        return {
            "photos": len(self.photos),
            "images": kinds["image"],
            "raws": kinds["raw"],
            "videos": kinds["video"],
            "faces": sum(len(photo.people) for photo in self.photos),
            "strangers": sum(photo.strangers for photo in self.photos),
            "people": len(self.people),
            "places": len(self.places),
            "countries": len({place.country_code for place in self.places.values()}),
            "committed": committed,
            "failed": len(self.failed),
            "skipped": len(self.skipped),
            "listed": committed + len(self.failed) + len(self.skipped),
        }
