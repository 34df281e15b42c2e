"""Faces keep their ids and what people said of them, whatever a model finds in their photos."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch.faces import MEANT, SAME, Remembered, Roster, box_of, overlap, settled
from cluster.settings import Settings
from cluster.store.database import Library, open_library
from cluster.store.people import id_of
from cluster.store.schema import rows_of

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LEFT, RIGHT = (0.1, 0.1, 0.4, 0.5), (0.6, 0.1, 0.9, 0.5)
NEAR_LEFT = (0.12, 0.12, 0.42, 0.52)  # the same face by another detector
Row = dict[str, Any]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    return open_library(Settings(root=tmp_path), "somebody")


@pytest.fixture
def roster(library: Library) -> Roster:
    """Nobody yet."""
    return Roster(library)


def sides(box: Sequence[float]) -> Row:
    """A box as columns."""
    return dict(zip(("left", "top", "right", "bottom"), box, strict=True))


def seen(*boxes: Sequence[float]) -> list[Row]:
    """What a model found."""
    return [{**sides(box), "score": 0.99, "landmarks": [], "model": "m@1", "vector": [1.0, 0.0]} for box in boxes]


def fact(kind: str, box: Sequence[float], face: str, person: str = "", content: str = "c") -> Row:
    """What somebody said of a face."""
    return {"photo_id": "p", "content_id": content, "kind": kind, "person_id": person, "face_id": face, **sides(box)}


def known(
    before: Sequence[Row] = (), facts: Sequence[Row] = (), regions: Sequence[Row] = (), content: str = "c"
) -> Remembered:
    """What is known of a photo `p`."""
    return Remembered("p", content, list(regions), list(before), list(facts))


def told(faces: Sequence[Row]) -> dict[str, tuple[str, str]]:
    """Whose each face is and how that is known."""
    return {face["face_id"]: (face["person_id"], face["standing"]) for face in faces}


def test_a_first_find_is_numbered_in_the_detectors_order(roster: Roster):
    """And is nobody's."""
    faces = settled(known(), seen(LEFT, RIGHT), roster, NOW)

    assert told(faces) == {"p-00": ("", ""), "p-01": ("", "")}
    assert box_of(faces[1]) == RIGHT


def test_a_face_found_again_keeps_its_id_and_whose_it_is_whatever_the_order(roster: Roster):
    """By how much the boxes overlap."""
    first = settled(known(), seen(LEFT), roster, NOW)
    before = [{**face, "person_id": "kim", "standing": "inferred"} for face in first]

    faces = settled(known(before), seen(RIGHT, NEAR_LEFT), roster, NOW)

    assert told(faces) == {"p-00": ("kim", "inferred"), "p-01": ("", "")}
    assert box_of(faces[0]) == NEAR_LEFT


def test_an_id_is_never_given_to_another_face(roster: Roster):
    """Not that of a face which is not found any more, nor of one that somebody deleted."""
    before = settled(known(), seen(LEFT), roster, NOW)

    assert set(told(settled(known(before), seen(RIGHT), roster, NOW))) == {"p-01"}
    assert set(told(settled(known(facts=[fact("delete", LEFT, "p-07")]), seen(RIGHT), roster, NOW))) == {"p-08"}


def test_a_label_holds_for_whatever_is_found_in_its_place(roster: Roster):
    """By a model of another name, after the rows of faces were lost."""
    faces = settled(known(facts=[fact("label", LEFT, "p-00", "kim")]), seen(RIGHT, NEAR_LEFT), roster, NOW)

    assert told(faces) == {"p-00": ("kim", "labeled"), "p-01": ("", "")}
    assert faces[0]["probability"] == 1


def test_a_labeled_face_that_no_model_finds_stays_where_it_was_drawn(roster: Roster):
    """Unless the photo shows something else by now."""
    facts = [fact("label", LEFT, "p-00", "kim")]

    (face,) = settled(known(facts=facts), seen(), roster, NOW)

    assert (face["person_id"], face["origin"], box_of(face)) == ("kim", "user", LEFT)
    assert settled(known(facts=facts, content="edited"), seen(), roster, NOW) == []


def test_a_deleted_face_does_not_come_back(roster: Roster):
    """Also when it is detected a little elsewhere."""
    assert settled(known(facts=[fact("delete", LEFT, "p-00")]), seen(NEAR_LEFT), roster, NOW) == []


def test_a_label_that_was_taken_back_leaves_an_unknown_face(roster: Roster):
    """Nothing remembers it but the face's own row, which does not count."""
    before = [{**seen(LEFT)[0], "face_id": "p-00", "person_id": "kim", "standing": "labeled", "probability": 1.0}]

    assert told(settled(known(before), seen(LEFT), roster, NOW)) == {"p-00": ("", "")}


def test_a_rejected_guess_does_not_come_back(roster: Roster):
    """A guess at another person stays."""
    before = [{**seen(LEFT)[0], "face_id": "p-00", "person_id": "kim", "standing": "inferred", "probability": 0.9}]

    assert told(settled(known(before, [fact("reject", LEFT, "p-00", "kim")]), seen(LEFT), roster, NOW)) == {
        "p-00": ("", "")
    }
    assert told(settled(known(before, [fact("reject", LEFT, "p-00", "lee")]), seen(LEFT), roster, NOW)) == {
        "p-00": ("kim", "inferred")
    }


def test_a_sidecars_region_labels_the_face_it_means(roster: Roster):
    """The person is made of the name, once, and a box that no detection meets is a face of its own."""
    regions = [{"name": "Kim", **sides((0.05, 0.05, 0.45, 0.55))}, {"name": "KIM", **sides(RIGHT)}]

    found, drawn = settled(known(regions=regions), seen(LEFT), roster, NOW)

    assert (found["person_id"], found["standing"], found["face_id"]) == (id_of("kim"), "labeled", "p-00")
    assert (drawn["person_id"], drawn["origin"]) == (id_of("kim"), "xmp")
    assert [row["name"] for row in roster.new.values()] == ["Kim"]


def test_peoples_word_goes_before_a_sidecars(roster: Roster):
    """Another label, a rejection, a deletion."""
    regions, kim = [{"name": "Kim", **sides(LEFT)}], id_of("kim")

    def with_fact(said: Row) -> dict[str, tuple[str, str]]:
        return told(settled(known(facts=[said], regions=regions), seen(LEFT), roster, NOW))

    assert with_fact(fact("label", LEFT, "p-00", "lee")) == {"p-00": ("lee", "labeled")}
    assert with_fact(fact("reject", LEFT, "p-00", kim)) == {"p-00": ("", "")}
    assert with_fact(fact("delete", LEFT, "p-00")) == {}


def test_a_face_that_a_sidecar_alone_knows_stays_when_its_name_is_rejected(roster: Roster):
    """Unknown; whom training thought of stays too, unless that is the one it is not."""
    regions, kim = [{"name": "Kim", **sides(LEFT)}], id_of("kim")
    (drawn,) = settled(known(regions=regions), seen(), roster, NOW)
    rejected = [fact("reject", LEFT, drawn["face_id"], kim)]

    (unknown,) = settled(known([drawn], rejected, regions), seen(), roster, NOW)
    assert told([unknown]) == {drawn["face_id"]: ("", "")}
    guessed = {**unknown, "person_id": "lee", "standing": "inferred", "probability": 0.9}
    assert told(settled(known([guessed], rejected, regions), seen(), roster, NOW)) == {
        drawn["face_id"]: ("lee", "inferred")
    }


def test_a_name_in_a_sidecar_is_whoever_has_it(library: Library, roster: Roster):
    """Somebody who was renamed to it is not made a second time; one that cannot be read is nobody's."""
    made = {"person_id": "x", "name": "Kim", "name_key": "kim", "kind": "person", "created_at": NOW, "changed_at": NOW}
    library.people.upsert(rows_of([made], library.people.schema))

    (kim,) = settled(known(regions=[{"name": "KIM", **sides(LEFT)}]), seen(LEFT), Roster(library), NOW)
    (nobody,) = settled(known(regions=[{"name": "Kim\x00", **sides(LEFT)}]), seen(LEFT), roster, NOW)

    assert (kim["person_id"], nobody["person_id"]) == ("x", "")


def test_who_was_merged_is_whom_they_were_merged_into(roster: Roster):
    """Over several mergers, also for a name in a sidecar and for a rejection."""
    roster.merged |= {"lee": "kim", "kim": "ann", "ann": "", id_of("Max"): "ann"}
    region = [{"name": "Max", **sides(LEFT)}]

    assert told(settled(known(facts=[fact("label", LEFT, "p-00", "lee")]), seen(LEFT), roster, NOW)) == {
        "p-00": ("ann", "labeled")
    }
    assert told(settled(known(regions=region), seen(LEFT), roster, NOW)) == {"p-00": ("ann", "labeled")}
    refused = known(facts=[fact("reject", LEFT, "p-00", "kim")], regions=region)
    assert told(settled(refused, seen(LEFT), roster, NOW)) == {"p-00": ("", "")}


boxes = st.tuples(*[st.floats(0, 0.45)] * 2, *[st.floats(0.5, 1)] * 2)


@given(boxes, boxes)
@settings(derandomize=True, deadline=None)
def test_overlap_is_a_share_and_the_same_both_ways(one: tuple[float, ...], other: tuple[float, ...]):
    """One for a box with itself."""
    share = overlap(one, other)  # type: ignore[arg-type]

    assert 0 <= share <= 1
    assert share == pytest.approx(overlap(other, one))  # type: ignore[arg-type]
    assert overlap(one, one) == pytest.approx(1)  # type: ignore[arg-type]
    assert overlap(LEFT, RIGHT) == 0
    assert overlap(LEFT, NEAR_LEFT) > SAME > MEANT


@given(st.lists(boxes, max_size=4), st.lists(boxes, max_size=4))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_settling_twice_changes_nothing(tmp_path_factory: Any, first: list[Any], second: list[Any]):
    """Whatever was found before and is found now; every id stands once."""
    roster = Roster(open_library(Settings(root=tmp_path_factory.getbasetemp() / "twice"), "somebody"))
    once = settled(known(settled(known(), seen(*first), roster, NOW)), seen(*second), roster, NOW)

    assert len({face["face_id"] for face in once}) == len(once) == len(second)
    assert told(settled(known(once), seen(*second), roster, NOW)) == told(once)
