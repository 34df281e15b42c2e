"""Acts taken back: what comes back, what came between, and what is in the way."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batch.acts import purge, told
from batch.naming import Naming
from batch.trash import Taken, restore, take_out
from cluster.errors import Conflict, NotFound
from cluster.store.people import CLUSTER, id_of
from cluster.store.schema import changes_of
from tests.batch.portraits import BELOW, MODEL, NOW, ZOE, Portraits, looks

KIM, LEE, MAX = id_of("Kim"), id_of("Lee"), id_of("Max")
CLUSTERED = "c" * 32


@pytest.fixture
def album(tmp_path: Path) -> Portraits:
    """Kim and Lee with two faces each, and a cluster."""
    album = Portraits(tmp_path).fill()
    album.cluster(CLUSTERED, "p2-00", "p2-01")
    album.naming().label(["p0-00", "p1-00"], name="Kim")
    album.naming().label(["p0-01", "p1-01"], name="Lee")
    return album


def last(album: Portraits) -> str:
    """The id of the last act."""
    return album.library.acts.newest(1)[0].act_id


def undo(album: Portraits, act_id: str = "") -> None:
    """Take an act back, the last one if none is named."""
    album.undoing().undo(act_id or last(album))


def texts(album: Portraits) -> list[str]:
    """What the acts are called, the last one first."""
    return [told(act) for act in album.library.acts.newest(20)]


def test_a_person_who_was_merged_is_one_of_their_own_again(album: Portraits):
    """With name, cover and faces, also those that a scan found and a training guessed since."""
    album.naming().cover(LEE, "p1-01")
    before = album.state()
    album.naming().merge(KIM, [LEE])
    act = last(album)
    album.rescan()
    assert album.labeled()["p1-01"] == KIM
    assert texts(album)[0] == "Kim and Lee merged"

    undo(album, act)

    assert album.state() == before
    lee = album.library.people.person(LEE)
    assert (lee.name, lee.cover_face_id, album.labeled()["p1-01"]) == ("Lee", "p1-01", LEE)


def test_a_deleted_face_is_there_again_with_its_vector_and_its_label(album: Portraits):
    """Under its id, also after rescans and trainings that did not find it."""
    before = album.state()
    album.naming().delete(["p0-00", "p3-01"])
    album.rescan()
    album.train()

    undo(album)

    assert album.whose()["p0-00"] == (KIM, "labeled")
    table = album.library.registry.find(MODEL)
    assert table
    assert sorted(table.vectors(["p0-00", "p3-01"])) == ["p0-00", "p3-01"]
    assert album.state()[1] == before[1]
    assert album.state()[4] == before[4]


def test_what_changed_nothing_is_no_act(album: Portraits):
    """Saying the same again leaves nothing to take back."""
    before = album.library.acts.count()
    album.naming().label(["p0-00"], name="kim")
    album.naming().hide(KIM, False)
    album.naming().rename(KIM, "Kim")
    album.naming().merge(KIM, [KIM])

    assert album.library.acts.count() == before == 2


def test_what_came_later_about_the_same_is_taken_back_first(album: Portraits):
    """The sentence says what; what is about others is not in the way."""
    first = last(album)
    album.naming().label(["p3-00"], name="Max")
    album.naming().label(["p1-01"], person_id=KIM)
    later = last(album)
    with pytest.raises(Conflict, match=rf"undo that first: a face labeled Kim \(act {later}\)"):
        undo(album, first)

    undo(album, later)
    undo(album, first)

    assert album.labeled() == {"p0-00": KIM, "p1-00": KIM, "p3-00": MAX}
    assert album.library.people.named("Lee") is None


def test_a_person_whom_a_later_act_is_about_is_not_taken_back(album: Portraits):
    """Though the face is another: else it would be nobody's."""
    first = last(album)
    album.naming().label(["p3-00"], person_id=LEE)

    with pytest.raises(Conflict, match="a face labeled Lee"):
        undo(album, first)


def test_faces_that_a_training_gave_to_somebody_are_nobodys_when_they_are_taken_back(album: Portraits):
    """Nobody has faces who is not there."""
    act = last(album)
    album.guess(LEE, "p3-01")

    undo(album, act)

    assert album.whose()["p3-01"] == ("", "")
    assert album.library.people.get(LEE) is None


def test_who_is_named_by_a_sidecar_meanwhile_stays(album: Portraits):
    """Without the faces that were labeled."""
    album.naming().label(["p3-00"], name="Zoe")
    album.library.photos.update(changes_of([{"photo_id": "p2", "regions": [ZOE]}], album.library.photos.schema))
    album.rescan()

    undo(album)

    assert album.labeled()["p2-00"] == id_of("Zoe")
    assert album.library.people.person(id_of("Zoe")).name == "Zoe"
    assert "p3-00" not in album.labeled()


def test_a_cluster_that_was_named_is_a_cluster_again(album: Portraits):
    """Guesses at who it is go back to it; a name that another has by now does not come back."""
    album.naming().rename(CLUSTERED, "Ann")
    album.guess(CLUSTERED, "p3-00")

    undo(album)

    assert album.library.people.person(CLUSTERED).kind == CLUSTER
    assert {face for face, whose in album.whose().items() if whose == (CLUSTERED, "")} == {"p2-00", "p2-01", "p3-00"}


def test_a_name_that_somebody_else_has_by_now_is_in_the_way(album: Portraits):
    """One name is one person's."""
    album.naming().rename(KIM, "Kay")
    act = last(album)
    album.naming().label(["p3-00"], name="Kim")

    with pytest.raises(Conflict, match="another Kim by now; rename"):
        undo(album, act)


def test_a_photo_in_the_trash_is_left_out(album: Portraits):
    """And comes back without faces of people who are gone."""
    act, library = last(album), album.library
    photos = library.photos.by_keys(["p0"]).to_pylist()
    take_out(library, album.writer(), photos, [], Taken("job", "me", NOW))

    undo(album, act)
    assert not {"p0-00", "p0-01"} & album.whose().keys()
    assert "p1-01" not in album.labeled()
    restore(library, album.writer(), ["p0"])

    assert album.whose()["p0-00"] == (KIM, "labeled")
    assert album.whose()["p0-01"] == ("", "")
    assert LEE not in library.facts.rows()["person_id"].to_pylist()


def test_what_was_said_of_a_photo_in_the_trash_is_not_put_back_beside_it(album: Portraits):
    """It is with the photo: nothing is said of one that is not there."""
    album.naming().label(["p0-00"], person_id=LEE)
    library = album.library
    take_out(library, album.writer(), library.photos.by_keys(["p0"]).to_pylist(), [], Taken("job", "me", NOW))

    undo(album)

    assert "p0" not in library.facts.rows()["photo_id"].to_pylist()


def test_a_labeled_face_that_came_out_of_the_trash_after_a_merger_goes_with_its_person(album: Portraits):
    """What was said of it names whom it was said of."""
    library = album.library
    take_out(library, album.writer(), library.photos.by_keys(["p1"]).to_pylist(), [], Taken("job", "me", NOW))
    album.naming().merge(KIM, [LEE])
    restore(library, album.writer(), ["p1"])
    assert album.labeled()["p1-01"] == KIM

    undo(album)

    assert (album.labeled()["p1-00"], album.labeled()["p1-01"]) == (KIM, LEE)


def test_a_name_that_a_sidecar_has_by_now_stays(album: Portraits):
    """A cluster cannot be one again whose name a photo's own file says."""
    album.naming().rename(CLUSTERED, "Ann")
    regions = [{**ZOE, "name": "Ann"}]
    album.library.photos.update(changes_of([{"photo_id": "p3", "regions": regions}], album.library.photos.schema))
    album.rescan()
    before = album.state()

    with pytest.raises(Conflict, match="own file names"):
        undo(album)

    assert album.labeled()["p3-00"] == CLUSTERED
    assert album.state() == before


def test_a_face_of_another_picture_does_not_come_back(album: Portraits):
    """A photo that was edited meanwhile; metadata that were saved into its file do not make it another picture."""
    album.naming().delete(["p0-00"])
    act = last(album)
    album.naming().delete(["p1-00"])
    saved, library = last(album), album.library
    contents = [{"photo_id": photo, "content_id": f"{photo}-new"} for photo in ("p0", "p1")]
    library.photos.update(changes_of(contents, library.photos.schema))
    facts = [row["fact_id"] for row in library.facts.rows().to_pylist() if row["photo_id"] == "p1"]
    library.facts.update(changes_of([{"fact_id": one, "content_id": "p1-new"} for one in facts], library.facts.schema))

    undo(album, act)
    undo(album, saved)

    assert "p0-00" not in album.whose()
    assert album.whose()["p1-00"] == (KIM, "labeled")


def test_a_drawn_face_that_is_taken_back_is_gone_unless_a_model_finds_it_by_now(album: Portraits):
    """The photo's number of faces says so."""
    before = album.state()
    key = album.naming().add("p0", BELOW, (MODEL, looks(0, 9)), name="Max")
    act = last(album)
    undo(album)
    assert album.state() == before

    assert album.naming().add("p0", BELOW, None, name="Max") == key
    album.library.faces.update(changes_of([{"face_id": key, "origin": ""}], album.library.faces.schema))
    undo(album)

    assert album.whose()[key] == ("", "")
    assert act != last(album)


def test_an_act_is_taken_back_once(album: Portraits):
    """Again it changes nothing; one that is not there is told."""
    act = last(album)
    done = album.undoing().undo(act)
    album.naming().label(["p0-01"], name="Lee")

    assert album.undoing().undo(act) == done
    assert album.labeled()["p0-01"] == LEE
    with pytest.raises(NotFound):
        album.undoing().undo("nothing")


def test_old_acts_are_forgotten(album: Portraits):
    """Those of the last days are not, nor any that came after one of those, whatever its time says."""
    for number, days in enumerate([10, 40, 50]):  # ago; the clock was put back between
        then = NOW - timedelta(days=days)
        Naming(album.library, album.writer(), "me", lambda then=then: then).label(["p3-00"], name=f"N{number}")
    acts = album.library.acts
    long_ago = [{"act_id": act.act_id, "made_at": NOW - timedelta(days=60)} for act in acts.newest(9, before=3)]
    acts.update(changes_of(long_ago, acts.schema))

    assert purge(album.library, album.writer(), NOW - timedelta(days=30)) == 2
    assert [act.number for act in album.library.acts.newest(9)] == [5, 4, 3]
    assert purge(album.library, album.writer(), datetime(2030, 1, 1, tzinfo=UTC)) == 3
    assert album.library.acts.count() == 0


def test_an_act_is_called_by_what_was_said(album: Portraits):
    """With the names of then."""
    album.naming().split(KIM, ["p0-00"], "Max")
    album.naming().rename(CLUSTERED, "Ann")
    album.naming().rename(CLUSTERED, "Anna {who}")
    album.naming().delete(["p3-00"])

    assert texts(album)[:4] == [
        "a face deleted",
        "Ann renamed Anna {who}",
        "somebody without a name renamed Ann",
        "a face of Kim split off as Max",
    ]


def test_a_merge_keeps_the_cover_of_somebody_who_is_gone(album: Portraits):
    """Where the one who stays has none."""
    album.naming().cover(LEE, "p1-01")

    assert album.naming().merge(KIM, [LEE]).cover_face_id == "p1-01"
    assert album.library.people.person(KIM).cover_face_id == "p1-01"
