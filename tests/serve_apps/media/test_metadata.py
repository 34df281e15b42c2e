"""Who is believed for what, and where a face is when the picture is upright."""

from datetime import UTC, datetime

import pytest

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
