"""What somebody says of faces and people: what becomes of it, what is refused."""

from pathlib import Path

import pytest

from cluster.errors import Conflict, Invalid, NotFound
from cluster.store.people import PERSON, id_of
from tests.batch.portraits import BELOW, LEFT, MODEL, Portraits, looks

KIM, LEE = id_of("Kim"), id_of("Lee")
UNIT = (MODEL, looks(0, 9))


@pytest.fixture
def album(tmp_path: Path) -> Portraits:
    """Four photos with two faces each, of whom nobody said anything."""
    return Portraits(tmp_path).fill()


def facts(album: Portraits) -> set[tuple[str, str, str]]:
    """What was said: kind, face, person."""
    return {(row["kind"], row["face_id"], row["person_id"]) for row in album.library.facts.rows().to_pylist()}


def test_a_name_makes_a_person_once(album: Portraits):
    """In any case; as it was first written."""
    first = album.naming().label(["p0-00", "p1-01"], name="Kim")
    again = album.naming().label(["p2-00"], name="  KIM ")

    assert (first.name, again) == ("Kim", first)
    assert album.labeled() == {"p0-00": KIM, "p1-01": KIM, "p2-00": KIM}


def test_the_latest_label_counts(album: Portraits):
    """Also against a rejection, which it takes back."""
    album.naming().label(["p0-00"], name="Kim")
    album.naming().reject(["p0-00"])
    assert album.whose()["p0-00"] == ("", "")
    album.naming().label(["p0-00"], name="Lee")
    album.naming().label(["p0-00"], person_id=KIM)

    assert album.labeled() == {"p0-00": KIM}
    assert facts(album) == {("label", "p0-00", KIM)}


def test_a_guess_is_confirmed_or_rejected(album: Portraits):
    """What nobody is thought of for is neither."""
    album.naming().label(["p3-00"], name="Kim")
    album.guess(KIM, "p0-00", "p1-00")

    album.naming().confirm(["p0-00"])
    album.naming().reject(["p1-00"])

    assert album.labeled() == {"p0-00": KIM, "p3-00": KIM}
    assert album.whose()["p1-00"] == ("", "")
    assert ("reject", "p1-00", KIM) in facts(album)
    for say in (album.naming().confirm, album.naming().reject):
        with pytest.raises(Conflict):
            say(["p1-00"])


def test_another_person_than_the_one_thought_of_is_rejected(album: Portraits):
    """The guess stays."""
    album.naming().label(["p3-00"], name="Kim")
    album.naming().label(["p3-01"], name="Lee")
    album.guess(KIM, "p0-00")

    album.naming().reject(["p0-00"], LEE)

    assert album.whose()["p0-00"] == (KIM, "inferred")
    assert ("reject", "p0-00", LEE) in facts(album)


def test_a_label_is_taken_back(album: Portraits):
    """Nothing is left of it, and it is rejected nowhere."""
    album.naming().label(["p0-00"], name="Kim")
    album.naming().unlabel(["p0-00"])
    album.rescan()

    assert album.whose()["p0-00"] == ("", "")
    assert facts(album) == set()


@pytest.mark.parametrize("own", [False, True])
def test_whom_a_sidecar_names_is_taken_back_for_good(tmp_path: Path, own: bool):
    """Also under a label of one's own."""
    album = Portraits(tmp_path).fill(named=0)
    assert album.labeled() == {"p0-00": id_of("Zoe")}
    if own:
        album.naming().label(["p0-00"], name="Kim")

    album.naming().unlabel(["p0-00"])
    album.rescan()

    assert album.whose()["p0-00"] == ("", "")


def test_a_deleted_face_is_gone_with_its_vector_and_does_not_come_back(album: Portraits):
    """The photo's count says so; its other face stays."""
    album.naming().delete(["p0-00"])
    before = album.state()
    album.rescan()

    assert "p0-00" not in album.whose()
    assert album.state() == before
    assert album.library.photos.get("p0")["face_count"] == 1  # type: ignore[index]
    table = album.library.registry.find(MODEL)
    assert table
    assert sorted(table.vectors(["p0-00", "p0-01"])) == ["p0-01"]


def test_a_drawn_face_stays_through_a_rescan(album: Portraits):
    """With its label and its vector; drawn again it is the same face."""
    key = album.naming().add("p0", BELOW, UNIT, name="Kim")
    before = album.state()
    album.rescan()

    assert album.labeled() == {key: KIM}
    assert album.state() == before
    assert album.naming().add("p0", BELOW, UNIT, name="Kim") == key
    assert album.state() == before


def test_a_drawn_face_that_was_deleted_can_be_drawn_again(album: Portraits):
    """And stays then."""
    key = album.naming().add("p0", BELOW, None)
    album.naming().delete([key])
    assert album.naming().add("p0", BELOW, None) == key
    album.rescan()

    assert album.whose()[key] == ("", "")
    assert album.library.photos.get("p0")["face_count"] == 3  # type: ignore[index]


@pytest.mark.parametrize(
    "box", [(0.5, 0.1, 0.5, 0.2), (0.5, 0.1, 0.4, 0.2), (-0.1, 0, 0.5, 0.5), (0, 0, 1.1, 1), (0, float("nan"), 1, 1)]
)
def test_a_box_that_is_none_is_refused(album: Portraits, box: tuple[float, float, float, float]):
    """Nothing is written."""
    before = album.state()
    with pytest.raises(Invalid):
        album.naming().add("p0", box, None, name="Kim")

    assert album.state() == before


def test_there_is_one_face_in_a_place(album: Portraits):
    """A box over a face is that face."""
    with pytest.raises(Conflict):
        album.naming().add("p0", LEFT, None)


def test_a_cluster_that_gets_a_name_is_a_person_whose_faces_are_labeled(album: Portraits):
    """Under its own id."""
    album.cluster("c" * 32, "p0-00", "p1-00")

    person = album.naming().rename("c" * 32, "Kim")

    assert (person.person_id, person.kind, person.name) == ("c" * 32, PERSON, "Kim")
    assert album.labeled() == {"p0-00": "c" * 32, "p1-00": "c" * 32}


def test_a_name_is_one_persons(album: Portraits):
    """Another one is told to merge; one's own in other letters is taken."""
    album.naming().label(["p0-00"], name="Kim")
    album.naming().label(["p0-01"], name="Lee")

    with pytest.raises(Conflict, match="merge"):
        album.naming().rename(LEE, "kim")
    assert album.naming().rename(KIM, "KIM").name == "KIM"


def test_people_who_are_one_have_all_faces_under_one_id(album: Portraits):
    """As they were known; the other's id means them from then on."""
    album.naming().label(["p0-00"], name="Kim")
    album.naming().label(["p0-01"], name="Lee")
    album.guess(LEE, "p1-00")

    album.naming().merge(KIM, [LEE])

    assert {key: who for key, who in album.whose().items() if who[0]} == {
        "p0-00": (KIM, "labeled"), "p0-01": (KIM, "labeled"), "p1-00": (KIM, "inferred"),
    }  # fmt: skip
    assert album.library.people.person(LEE).person_id == KIM
    assert album.naming().label(["p2-00"], person_id=LEE).person_id == KIM


def test_a_cluster_that_turns_out_to_be_a_person_is_labeled(album: Portraits):
    """Whichever is merged into which; the one with a name stays."""
    album.naming().label(["p0-00"], name="Kim")
    album.cluster("c" * 32, "p1-00")

    assert album.naming().merge("c" * 32, [KIM]).person_id == KIM

    assert album.labeled() == {"p0-00": KIM, "p1-00": KIM}


def test_what_was_rejected_stays_so_when_people_turn_out_to_be_one(album: Portraits):
    """A guess that is none of theirs by any of their names is no guess any more; a label stands."""
    album.naming().label(["p0-00"], name="Kim")
    album.naming().label(["p0-01"], name="Lee")
    album.guess(KIM, "p1-00", "p2-00")
    album.naming().reject(["p1-00", "p0-00"], LEE)

    album.naming().merge(KIM, [LEE])

    assert album.whose()["p1-00"] == ("", "")
    assert album.whose()["p2-00"] == (KIM, "inferred")
    assert album.labeled() == {"p0-00": KIM, "p0-01": KIM}


def test_faces_are_split_off_for_another_name_only(album: Portraits):
    """Of that person only; nothing is written where it is refused."""
    album.naming().label(["p0-00", "p1-00"], name="Kim")
    album.naming().label(["p0-01"], name="Lee")
    album.guess(KIM, "p2-00")
    before = album.state()
    with pytest.raises(Conflict):
        album.naming().split(KIM, ["p2-00"], "kim")
    with pytest.raises(Invalid):
        album.naming().split(KIM, ["p2-00", "p0-01"], "Max")
    assert album.state() == before

    person = album.naming().split(KIM, ["p1-00", "p2-00"], "Max")

    assert album.labeled() == {
        "p0-00": KIM, "p0-01": LEE, "p1-00": person.person_id, "p2-00": person.person_id,
    }  # fmt: skip
    assert {("reject", "p1-00", KIM), ("reject", "p2-00", KIM)} <= facts(album)


def test_a_cover_is_ones_own_face(album: Portraits):
    """Or nobody's choice."""
    album.naming().label(["p0-00"], name="Kim")
    with pytest.raises(Invalid):
        album.naming().cover(KIM, "p0-01")
    assert album.naming().cover(KIM, "p0-00").cover_face_id == "p0-00"
    assert album.naming().cover(KIM, "").cover_face_id == ""


def test_faces_and_people_that_are_not_there_are_told(album: Portraits):
    """Nothing is said of the others either."""
    album.cluster("c" * 32, "p1-00")
    before, say = album.state(), album.naming()
    for saying in (
        lambda: say.label(["p0-00", "nobody"], name="Kim"), lambda: say.label(["p0-00"], person_id="nobody"),
        lambda: say.reject(["p0-00"], "nobody"), lambda: say.delete(["nobody"]), lambda: say.add("nobody", BELOW, None),
        lambda: say.merge("c" * 32, ["nobody"]), lambda: say.hide("nobody", True), lambda: say.unlabel(["nobody"]),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            saying()
    with pytest.raises(Conflict):
        say.label(["p0-00"], person_id="c" * 32)
    with pytest.raises(Invalid):
        say.label([], name="Kim")

    assert album.state() == before


def test_a_face_that_is_put_out_of_a_cluster_does_not_come_back(album: Portraits):
    """Not by training either, however much it looks like the others."""
    album.train()
    cluster, standing = album.whose()["p0-00"]
    assert (bool(cluster), standing) == (True, "")

    album.naming().reject(["p0-00"])
    album.train()
    before = album.whose()
    album.train()

    assert before["p0-00"] == ("", "")
    assert album.whose() == before


def test_a_cluster_that_has_a_name_is_not_made_a_cluster_again(album: Portraits):
    """Though the same faces, taken back, are the first to be put together again."""
    album.train()
    clusters = sorted({person for person, _ in album.whose().values()} - {""})
    for number, cluster in enumerate(clusters):
        album.naming().rename(cluster, f"Kim {number}")
    album.naming().unlabel(list(album.labeled()))

    album.train()

    assert [album.library.people.person(one).name for one in clusters] == [f"Kim {i}" for i in range(len(clusters))]
    assert not {person for person, _ in album.whose().values()} & set(clusters)
    assert {person for person, _ in album.whose().values()} - {""}
