"""The people of the sample library: a few labels tell the rest, through real jobs, and what was said holds."""

import pytest

from batch.naming import Naming
from batch.people import Training
from cluster.store.jobs import Job
from cluster.store.people import id_of
from cluster.writer import RemoteWriter
from tests.batch.conftest import driver_of
from tests.conftest import Household
from tests.sample_library import SampleLibrary

NAMES = {"s1": "Ada", "s2": "Bo", "s3": "Cy", "s4": "Di", "s5": "Eve"}  # by numbers in ORL; a sidecar says Ada too


@pytest.fixture(scope="module")
def truth(home: Household, job: Job, sample: SampleLibrary) -> dict[str, str]:
    """Whose the faces are in photos that show one person, and one face, by face id."""
    names = {row["photo_id"]: row["name"] for row in home.library.photos.rows(None, ["photo_id", "name"]).to_pylist()}
    alone = {photo.main: photo.people[0] for photo in sample.photos if len(photo.people) == 1}
    faces = home.library.faces.rows().to_pylist()
    shown = [face["photo_id"] for face in faces]
    return {
        face["face_id"]: alone[names[face["photo_id"]]]
        for face in faces
        if names[face["photo_id"]] in alone and shown.count(face["photo_id"]) == 1
    }


def act(home: Household, action: str) -> Job:
    """An action's job, to its end."""
    return home.rest(home.brightroom.jobs.start(home.user_id, action, {}))


def naming(home: Household) -> Naming:
    """What the owner says."""
    return Naming(home.library, RemoteWriter(home.brightroom.settings, home.user_id), home.user_id)


def training(home: Household) -> Training:
    """A training in this process, as the job does it."""
    return Training(
        home.library, RemoteWriter(home.brightroom.settings, home.user_id), home.brightroom.settings.revisions["faces"]
    )


def whose(home: Household) -> dict[str, tuple[str, str]]:
    """Whose each face is, and how that is known."""
    return {row["face_id"]: (row["person_id"], row["standing"]) for row in home.library.faces.rows().to_pylist()}


def test_the_scan_itself_put_faces_together_and_heeded_the_sidecars(home: Household, job: Job):
    """Whoever is named in a sidecar is labeled; the others are in clusters; all of them are counted."""
    standings = home.library.faces.standings()
    people = {person.name: person for person in home.library.people.list() if person.name}

    assert set(people) == {"Ada", "Eileen Collins"}
    assert standings["labeled"] == 2
    assert sum(standings.values()) == home.library.faces.count()
    assert len([person for person in home.library.people.list() if person.kind == "cluster"]) >= 8


def test_one_label_each_tells_the_other_faces_of_five_people(home: Household, truth: dict[str, str]):
    """Nobody gets another's face. A rejected one stays rejected through ten trainings and a rescan of faces."""
    for person, name in NAMES.items():
        naming(home).label([min(face for face, one in truth.items() if one == person)], name=name)
    trained = act(home, "train-faces")

    assert trained.state == "done", trained.error
    now = whose(home)
    assert sum(trained.counts[f"faces_{name}"] for name in ("labeled", "inferred", "unknown")) == len(now)
    ids = {person: id_of(name) for person, name in NAMES.items()}
    of_five = {face: ids[one] for face, one in truth.items() if one in ids}
    assert {now[face] for face in of_five} <= {(one, how) for one in ids.values() for how in ("labeled", "inferred")}
    assert {face: now[face][0] for face in of_five} == of_five
    assert not [face for face, one in truth.items() if one not in ids and now[face][0] in ids.values()]

    rejected = next(face for face in sorted(of_five) if now[face][1] == "inferred")
    naming(home).reject([rejected])
    for _ in range(10):
        training(home).run()
        assert whose(home)[rejected][0] != of_five[rejected]
    again = home.brightroom.jobs.start(home.user_id, "rescan-faces", {})
    home.until(again, lambda seen: any(stage["done"] for stage in seen.stages))
    driver = driver_of(again.job_id)
    assert driver
    driver.kill()
    assert home.rest(again).state == "interrupted"
    rescanned = home.rest(home.brightroom.jobs.resume(again.job_id))

    assert rescanned.state == "done", rescanned.error
    after = whose(home)
    assert after.keys() == now.keys()
    assert after[rejected][0] != of_five[rejected]
    assert {face: after[face] for face in of_five if face != rejected} == {
        face: now[face] for face in of_five if face != rejected
    }


def test_merging_and_renaming_keep_ids_and_what_was_named(home: Household, truth: dict[str, str]):
    """The merged person's faces are the other's, and stay so through a training."""
    people = {person.name: person.person_id for person in home.library.people.list()}
    one, other = people["Ada"], people["Bo"]
    faces = {face for face, (person, _) in whose(home).items() if person in (one, other)}

    naming(home).merge(one, [other])
    naming(home).rename(one, "Two in one")
    training(home).run()

    assert {face for face, (person, _) in whose(home).items() if person == one} == faces
    assert home.library.people.person(other).name == "Two in one"
    assert id_of("Ada") == one
