"""The table of the sample library: who was where, when, with which camera, and what was photographed there.

Everything that goes wrong on purpose is in unhappy.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from tests.sample_library.pictures import GroupPortrait, Picture, Portrait, View
from tests.sample_library.truth import Camera, FaceRegion, Place, Sidecar, TimeSource

NIKON = Camera("NIKON CORPORATION", "NIKON D750", "AF-S 24-85mm", 200, 5.6, (1, 250), 50, "DSC_{:04}.JPG")
CANON = Camera("Canon", "Canon EOS 80D", "EF-S18-55mm", 400, 4.0, (1, 125), 35, "IMG_{:04}.JPG")
APPLE = Camera("Apple", "iPhone 13", "iPhone 13 back camera", 64, 1.6, (1, 500), 5.1, "IMG_{:04}.JPG")
APPLE_XS = Camera("Apple", "iPhone XS", "iPhone XS back camera", 32, 1.8, (1, 800), 4.2, "IMG_{:04}.JPG")
SAMSUNG = Camera("samsung", "SM-G991B", "Samsung wide", 100, 1.8, (1, 60), 5.4, "SAM_{:04}.jpg")

PORTO = Place("Porto", "", "Porto", "Portugal", "PT", 41.1496, -8.6110, 104)
CAPE = Place("Titusville", "Brevard County", "Florida", "United States", "US", 28.6122, -80.8076, 4)
ZERMATT = Place("Zermatt", "Visp District", "Valais", "Switzerland", "CH", 46.0207, 7.7491, 1616.5)
KYOTO = Place("Kyoto", "Kyōto Shi", "Kyoto", "Japan", "JP", 35.0211, 135.7538, 50)
BEIJING = Place("Beijing", "", "Beijing", "China", "CN", 39.9075, 116.3972, 44)
SYDNEY = Place("Sydney", "", "New South Wales", "Australia", "AU", -33.8690, 151.2073, 21)
AMSTERDAM = Place("Amsterdam", "Gemeente Amsterdam", "North Holland", "Netherlands", "NL", 52.3740, 4.8897, -2)
NAIROBI = Place("Nairobi", "", "Nairobi County", "Kenya", "KE", -1.2833, 36.8167, 1795)
BUENOS_AIRES = Place("Buenos Aires", "", "Buenos Aires F.D.", "Argentina", "AR", -34.6132, -58.3772, 25)
PARIS = Place("Paris", "", "Île-de-France", "France", "FR", 48.8534, 2.3488, 35)

PEOPLE = 12  # of ORL's 40; half of them come along on every other trip
LIVE_ID = "5E2F4C1A-9B7D-4E0F-8A36-2D1C7B904E55"
CLIP_S = 2.0  # length of the videos, seconds


@dataclass(frozen=True)
class Shot:
    """One photo to be written, and all that its files say about it."""

    path: str
    picture: Picture
    taken: datetime  # aware; of a photo without offset: the wall clock as UTC
    source: TimeSource = "exif"
    offset_min: int | None = None
    camera: Camera | None = None
    place: Place | None = None
    nudge: float = 0  # degrees away from the place, so that no two photos have the same coordinates
    orientation: int = 1
    subsecond: str = ""
    strangers: int = 0  # faces of nobody of ORL's
    sidecar: Sidecar | None = None
    variants: tuple[str, ...] = ()  # suffixes of further files of the same stem
    copies: tuple[str, ...] = ()  # further paths with the same bytes
    live_id: str = ""
    flags: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()  # queries that must find it first
    words: str = ""  # that can be read in it


@dataclass(frozen=True)
class Trip:
    """A folder of photos taken by one camera around one place."""

    folder: str
    place: Place | None
    camera: Camera
    start: datetime  # wall clock
    offset_min: int
    first: int  # number of its first photo

    def shot(self, at: int, picture: Picture, **more: Any) -> Shot:
        """The photo number `at` of the trip, four a day."""
        taken = self.start + timedelta(days=at // 4, minutes=37 * (at % 4))
        zone = timezone(timedelta(minutes=self.offset_min))
        path = f"{self.folder}/{self.camera.name.format(self.first + at)}"
        shot = Shot(
            path, picture, taken.replace(tzinfo=zone), "exif", self.offset_min, self.camera, self.place, (at % 5) * 2e-4
        )
        return replace(shot, **more)


TRIPS = (
    Trip("2016/2016-07 Porto", PORTO, NIKON, datetime(2016, 7, 9, 10, 15), 60, 101),
    Trip("2017/2017-03 Cape Canaveral", CAPE, CANON, datetime(2017, 3, 18, 9, 40), -240, 2001),
    Trip("2018/2018-02 Zermatt", ZERMATT, CANON, datetime(2018, 2, 11, 11, 5), 60, 2101),
    Trip("2018/2018-10 京都 Kyoto", KYOTO, APPLE_XS, datetime(2018, 10, 27, 8, 20), 540, 301),
    Trip("2019/2019-05 Beijing", BEIJING, NIKON, datetime(2019, 5, 4, 7, 30), 480, 201),
    Trip("2019/2019-12 Sydney", SYDNEY, SAMSUNG, datetime(2019, 12, 30, 16, 0), 660, 1),
    Trip("2021/2021-06 Amsterdam", AMSTERDAM, CANON, datetime(2021, 6, 19, 12, 10), 120, 2201),
    Trip("2022/2022-08 Nairobi", NAIROBI, NIKON, datetime(2022, 8, 6, 9, 0), 180, 301),
    Trip("2023/2023-01 Buenos Aires", BUENOS_AIRES, SAMSUNG, datetime(2023, 1, 14, 10, 45), -180, 101),
    Trip("2024/2024-05 Paris", PARIS, APPLE, datetime(2024, 5, 8, 9, 15), 120, 401),
)

AT_HOME = Trip("2020/At home", None, SAMSUNG, datetime(2020, 4, 11, 14, 5), 120, 41)


def shots() -> Iterator[Shot]:
    """Every photo of the library, folder by folder."""
    for number, trip in enumerate(TRIPS):
        scenes = SCENES[number]
        yield from (trip.shot(at, picture, **more) for at, (picture, more) in enumerate(scenes))
        yield from company(trip, number, len(scenes))
    yield from BURSTS[0] + BURSTS[1] + ORIENTATIONS + VIDEOS + HOME


def company(trip: Trip, number: int, at: int) -> Iterator[Shot]:
    """Portraits of the six people who came along; somebody named the first one of the first trip."""
    for person in range(1 + number % 2, PEOPLE + 1, 2):
        yield trip.shot(at, Portrait(person, number // 2 + 1), sidecar=ADA if (number, person) == (0, 1) else None)
        at += 1


def burst(trip: Trip, stem: str, name: str, taken: datetime, strangers: int) -> tuple[Shot, ...]:
    """Five pictures within a second, the camera moving a little."""
    return tuple(
        trip.shot(
            0, View(name, (0.02 * k, 0.02 * k, 0.9 + 0.02 * k, 0.9 + 0.02 * k)),
            path=f"{trip.folder}/{stem}_{k + 1:03}.JPG", subsecond=f"{k * 2}00", strangers=strangers,
            taken=taken.replace(tzinfo=timezone(timedelta(minutes=trip.offset_min)), microsecond=k * 200_000),
        )
        for k in range(5)
    )  # fmt: skip


ADA = Sidecar(rating=4, regions=(FaceRegion("Ada", 0.15, 0.2, 0.85, 0.9),))
EILEEN = Sidecar(5, ("space", "NASA"), (FaceRegion("Eileen Collins", 0.31, 0.08, 0.57, 0.36),), full_name=True)
TEMPLE_LEFT, TEMPLE_RIGHT = (0, 0.1, 0.6, 0.9), (0.4, 0, 1, 0.8)
SCENES: tuple[tuple[tuple[Picture, dict[str, Any]], ...], ...] = (
    ((View("brick.png"), {}), (View("flower.jpg", (0, 0, 0.8, 1)), {})),
    (
        (View("rocket.jpg", longest=1280), {"queries": ("rocket launch",)}),
        (View("astronaut.png"), {"sidecar": EILEEN, "strangers": 1}),
        (View("moon.png"), {}),
    ),
    (
        (View("gravel.png"), {}),
        (View("hubble_deep_field.jpg", (0, 0, 0.8, 0.8)), {"variants": (".DNG",)}),
        (View("hubble_deep_field.jpg", (0.2, 0.2, 1, 1)), {"path": "2018/2018-02 Zermatt/IMG_2180.DNG"}),
    ),
    (
        (View("china.jpg", TEMPLE_RIGHT), {}),
        (View("flower.jpg", (0.1, 0, 1, 1), True), {"path": "2018/2018-10 京都 Kyoto/IMG_0380.HEIC"}),
    ),
    (
        (View("china.jpg", longest=1920), {"copies": ("Shared/From Kim/temple (1).JPG",)}),
        (View("china.jpg", TEMPLE_LEFT), {}),
        (View("brick.png", mirrored=True), {}),
    ),
    ((View("grass.png"), {}), (View("coins.png"), {})),
    ((View("grass.png", mirrored=True), {}),),
    ((View("gravel.png", mirrored=True), {}),),
    ((View("moon.png", (0.1, 0.1, 1, 1)), {}),),
    (
        (View("coffee.png"), {"queries": ("a cup of coffee",)}),
        (View("motorcycle_right.png"), {"variants": (".MOV",), "live_id": LIVE_ID}),
    ),
)
BURSTS = (
    burst(TRIPS[7], "BURST_20220806101502", "motorcycle_left.png", datetime(2022, 8, 6, 10, 15, 2), 0),
    burst(TRIPS[8], "BURST_20230115173000", "camera.png", datetime(2023, 1, 15, 17, 30, 0), 1),
)
ORIENTATIONS = tuple(
    TRIPS[6].shot(6 + at, View("flower.jpg"), path=f"2021/2021-06 Amsterdam/turned_{at}.jpg", orientation=at)
    for at in range(1, 9)
)
VIDEOS = (
    TRIPS[8].shot(
        9, View("china.jpg"), path="2023/2023-01 Buenos Aires/VID_0001.mp4", source="quicktime",
        offset_min=None, camera=None,
    ),
    TRIPS[9].shot(9, View("flower.jpg"), path="2024/2024-05 Paris/IMG_0480.MOV", source="quicktime"),
)  # fmt: skip


def plain(path: str, picture: Picture, taken: datetime, source: TimeSource, **more: Any) -> Shot:
    """A photo without EXIF, which knows at most its wall clock time."""
    return replace(Shot(path, picture, taken if taken.tzinfo else taken.replace(tzinfo=UTC), source), **more)


SCANNED = datetime(1962, 8, 15, 14, 30, tzinfo=timezone(timedelta(hours=1)))
COPIED = datetime(2008, 11, 5, 12, 0)
LONGEST = ("a very long name " * 15)[:251]  # with its suffix 255 bytes, all that a file name may have
FRIENDS = GroupPortrait(tuple(Portrait(person, 6, 3) for person in (1, 2, 3, 4)))
HOME = (
    AT_HOME.shot(0, View("chelsea.png"), queries=("a cat",)),
    AT_HOME.shot(1, FRIENDS),
    AT_HOME.shot(2, View("horse.png", mode="RGBA"), path="2020/At home/horse.png"),
    AT_HOME.shot(3, View("color.png"), path="2020/At home/edited.webp"),
    AT_HOME.shot(4, View("retina.jpg", longest=700), path="2020/At home/retina.avif"),
    AT_HOME.shot(5, View("horse.png", mirrored=True, mode="L"), path="Shared/caf\udce9.jpg"),  # Latin-1, no UTF-8
    AT_HOME.shot(6, View("coins.png", mirrored=True), path=f"Shared/{LONGEST}.jpg"),
    plain("2020/Phone/IMG_20200514_101112.jpg", View("ihc.png"), datetime(2020, 5, 14, 10, 11, 12), "name"),
    plain(
        "2020/Phone/Screenshot_20200601-090000.png", View("page.png", longest=1152, mode="L"),
        datetime(2020, 6, 1, 9), "name", words="determine markers of the coins",
    ),
    plain("2020/Phone/phantom.gif", View("phantom.png"), COPIED, "mtime"),
    plain(
        "Scans/scan001.tif", View("cell.png", mode="L"), SCANNED, "xmp",
        offset_min=60, sidecar=Sidecar(taken=SCANNED),
    ),
    plain("Scans/clock.bmp", View("clock_motion.png"), COPIED, "mtime"),
    plain("Scans/for the print shop.jpg", View("logo.png", mode="CMYK"), COPIED, "mtime"),
    plain("Scans/handwriting.jpg", View("text.png", mode="L"), COPIED, "mtime"),
    plain("Recovered/half.jpg", View("motorcycle_left.png", mirrored=True), COPIED, "mtime", flags=("truncated",)),
)  # fmt: skip
