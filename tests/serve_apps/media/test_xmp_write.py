"""What is known of a photo goes into a packet, and nothing that was in it gets lost."""

import random
from datetime import UTC, datetime

import pytest

from cluster.errors import Unreadable
from serve_apps.media.metadata import Packets, upright_regions
from serve_apps.media.protocol import Region
from serve_apps.media.xmp import Packet, read
from serve_apps.media.xmp_write import Wanted, is_said, merged, shared

FACE = Region("Ada Lovelace", 0.1, 0.2, 0.3, 0.6)
ALL = Wanted(
    rating=4, title="Fish & <chips>", caption='A "cat"', keywords=["Harbour", "boats"], tags=["tabby cat", "harbour"],
    regions=[FACE], latitude=-41.149612, longitude=8.611, altitude=-3.5, width=640, height=480,
    taken_at=datetime(2016, 7, 9, 9, 15, 2, 250_000, tzinfo=UTC), taken_offset_min=-210,
)  # fmt: skip
EDITED = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="An editor"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:mine="urn:mine:1/"><rdf:Description rdf:about=""
 xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
 crs:Exposure2012="+0.35" xmp:Rating="2" mine:note="a &amp; &quot;b&quot;">
 <crs:ToneCurve><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li></rdf:Seq></crs:ToneCurve>
 <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Old</rdf:li><rdf:li xml:lang="de-DE">Alt</rdf:li></rdf:Alt></dc:title>
 <dc:subject><rdf:Bag><rdf:li>boats</rdf:li><rdf:li>Family</rdf:li></rdf:Bag></dc:subject>
 <lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Porto</rdf:li></rdf:Bag></lr:hierarchicalSubject>
</rdf:Description><rdf:Description mine:other="kept"/></rdf:RDF></x:xmpmeta>"""


def described(text: str) -> bytes:
    """A packet with a description that somebody wrote."""
    head, tail = EDITED.split(b"<dc:title>")
    return head + f"<dc:description>{text}</dc:description><dc:title>".encode() + tail


def test_what_is_written_is_read_back():
    """Every property comes back as it was wanted; a model's tags do not come back as anybody's keywords."""
    said = read(merged(b"", ALL)).metadata

    assert (said.rating, said.title, said.description) == (4, "Fish & <chips>", 'A "cat"')
    assert said.keywords == ["Harbour", "boats"]
    assert (said.latitude, said.longitude) == pytest.approx((-41.149612, 8.611), abs=1e-7)
    assert said.altitude == pytest.approx(-3.5)
    assert (said.taken_at, said.taken_offset_min) == (ALL.taken_at, -210)
    (face,) = said.regions
    assert face.name == "Ada Lovelace"
    assert shared(face, FACE) == pytest.approx(1, abs=1e-4)
    assert is_said(said, ALL)


def test_words_are_written_once_each_and_say_which_are_a_models():
    """All of them are subjects; those that only a model chose are noted as such."""
    packet = merged(b"", ALL).decode()

    assert packet.count("<rdf:li>Harbour</rdf:li>") == 1
    assert "<dc:subject><rdf:Bag><rdf:li>Harbour</rdf:li><rdf:li>boats</rdf:li><rdf:li>tabby cat</rdf:li>" in packet
    assert "<brightroom:Tags><rdf:Bag><rdf:li>tabby cat</rdf:li></rdf:Bag>" in packet


def test_a_packet_that_says_all_is_left_as_it_is():
    """Byte for byte, whoever wrote it."""
    for packet in (b"", EDITED, described("Somebody's words")):
        once = merged(packet, ALL)
        assert merged(once, ALL) == once
    assert merged(EDITED, Wanted(rating=2, keywords=["Family", "Places|Porto"])) == EDITED
    assert merged(b"", Wanted()) == b""


def test_what_others_wrote_stays():
    """Properties that nobody here knows, other languages, other words, and the prefixes they were written with."""
    packet = merged(EDITED, ALL).decode()

    for kept in (
        'x:xmptk="An editor"', 'crs:Exposure2012="+0.35"', 'mine:note="a &amp; &quot;b&quot;"', 'mine:other="kept"',
        "<crs:ToneCurve><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li></rdf:Seq></crs:ToneCurve>",
        '<rdf:li xml:lang="de-DE">Alt</rdf:li>', "<rdf:li>Family</rdf:li>", "<rdf:li>Places|Porto</rdf:li>",
    ):  # fmt: skip
        assert kept in packet
    assert packet.count("xmp:Rating") == 2  # the opening and the closing tag: the attribute has gone
    assert read(packet.encode()).metadata.title == "Fish & <chips>"
    assert "Old" not in packet


def test_a_caption_does_not_take_the_place_of_somebodys_words():
    """A description that a person wrote stays; one that we wrote follows the caption."""
    assert read(merged(described("Our boat"), ALL)).metadata.description == "Our boat"
    again = merged(merged(b"", ALL), Wanted(caption="Two cats"))
    assert read(again).metadata.description == "Two cats"


def test_tags_of_a_former_model_go_and_keywords_stay():
    """Of the words there, only those that we wrote for a model are replaced."""
    first = merged(EDITED, Wanted(tags=["dog", "Family"]))

    then = merged(first, Wanted(tags=["wolf"])).decode()

    assert "dog" not in then
    assert read(then.encode()).metadata.keywords == ["boats", "Family", "Places|Porto"]
    assert "<rdf:li>wolf</rdf:li>" in then


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(640, 480), (480, 640), (500, 500)])
def test_faces_come_back_where_they_were_however_the_picture_lies(orientation: int, size: tuple[int, int]):
    """Regions are of the stored picture; read back they are upright again."""
    wanted = Wanted(regions=[FACE], orientation=orientation, width=size[0], height=size[1])

    packet = read(merged(b"", wanted))

    (face,) = upright_regions(Packets(packet, Packet()), orientation, *size)
    assert shared(face, FACE) == pytest.approx(1, abs=1e-4)
    assert merged(merged(b"", wanted), wanted) == merged(b"", wanted)


def test_the_same_face_gets_its_new_name_and_the_others_stay():
    """A region over the same face goes; pets, and people elsewhere in the picture, do not."""
    others = [Region("Grace", 0.6, 0.1, 0.8, 0.3), Region("Augusta", 0.11, 0.2, 0.3, 0.6)]
    packet = merged(b"", Wanted(regions=others, width=640, height=480))
    face = b"<mwg-rs:Name>Grace</mwg-rs:Name><mwg-rs:Type>Face"
    pet = packet.replace(face, face.replace(b"Grace", b"Rex").replace(b"Face", b"Pet"))
    both = merged(pet, Wanted(regions=[others[0]], width=640, height=480))

    after = merged(both, ALL)

    assert sorted(face.name for face in read(after).metadata.regions) == ["Ada Lovelace", "Grace"]
    assert b"<mwg-rs:Type>Pet" in after


def test_a_name_that_was_refused_goes_and_the_others_stay():
    """Only the box counts; who is surely there keeps their name."""
    grace = Region("Grace", 0.6, 0.1, 0.8, 0.3)
    packet = merged(b"", Wanted(regions=[grace, FACE], width=640, height=480))
    boxes = [Region("", 0.61, 0.1, 0.8, 0.3), Region("", 0.1, 0.2, 0.3, 0.6)]

    after = merged(packet, Wanted(regions=[FACE], refused=boxes, width=640, height=480))

    assert [face.name for face in read(after).metadata.regions] == ["Ada Lovelace"]
    assert merged(after, Wanted(regions=[FACE], refused=boxes, width=640, height=480)) == after


def test_faces_drawn_on_the_upright_picture_are_joined_by_such():
    """Where a packet's dimensions show that its editor drew upright, so do we."""
    drawn = merged(b"", Wanted(regions=[Region("Grace", 0.6, 0.1, 0.8, 0.3)], width=480, height=640))
    wanted = Wanted(regions=[FACE], width=480, height=640, orientation=6)

    packet = read(merged(drawn, wanted))

    found = {face.name: face for face in upright_regions(Packets(packet, Packet()), 6, 480, 640)}
    assert shared(found["Ada Lovelace"], FACE) > 0.99
    assert found["Grace"].left == pytest.approx(0.6, abs=1e-4)


@pytest.mark.parametrize(
    "packet",
    [b"no XMP at all", b"<x/>", b'<!DOCTYPE x [<!ENTITY a "b">]>' + EDITED, EDITED[:-30], b"\0" * 100],
)
def test_what_cannot_be_read_is_not_overwritten(packet: bytes):
    """A broken or hostile packet is refused in a sentence."""
    with pytest.raises(Unreadable, match="write it anew"):
        merged(packet, ALL)


def test_depth_and_odd_names_do_no_harm():
    """A packet nested a hundred thousand times, or whose prefixes mean something else, is written whole."""
    deep = EDITED.replace(b"0, 0", b"<a>" * 100_000 + b"</a>" * 100_000)
    swapped = EDITED.replace(b"dc:", b"q:").replace(b":dc=", b":q=").replace(b"crs:", b"dc:").replace(b":crs=", b":dc=")

    assert merged(deep, ALL).count(b"<a>") == 100_000
    assert read(merged(swapped, ALL)).metadata.title == "Fish & <chips>"
    assert b'dc:Exposure2012="+0.35"' in merged(swapped, ALL)


def test_any_text_can_be_written():
    """Random texts of odd characters come back as the reader cleans them, and are said the second time."""
    letters = "a\u00e4\u4eac\U0001f98a<>&\"']]>\r\n\t\0\x1b\u202e\ud800 |,"
    chance = random.Random(7)
    for _ in range(200):
        title, caption, word = ("".join(chance.choices(letters, k=chance.randint(0, 12))) for _ in range(3))
        wanted = Wanted(title=title, caption=caption, keywords=[word], regions=[Region(word or "x", 0, 0, 1, 1)])
        packet = merged(b"", wanted)
        assert merged(packet, wanted) == packet
        if packet:
            assert is_said(read(packet).metadata, wanted)
