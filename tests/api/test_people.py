"""People over HTTP: lists, covers and counts, and what their owner says of them."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from cluster.store.people import id_of
from cluster.store.schema import changes_of
from tests.api.album import cluster, face, naming, thought
from tests.api.world import NOON, World

HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE people; --",
    '"}]',
    "[/]",
    "../..",
    "${x}{{y}}",
    "Ünï 😀",
    "null",
]


@pytest.fixture
def house(fresh: World) -> World:
    """Ann, of whose faces nobody said anything yet, and Ben."""
    fresh.user("ben")
    return fresh


def faces_of(world: World, name: str, count: int, **columns: Any) -> list[str]:
    """So many labeled faces of somebody, each in a photo of its own."""
    made = [face(world, "ann", world.photo("ann", f"{name}-{i}.jpg"), **columns) for i in range(count)]
    naming(world, "ann").label(made, name=name)
    return made


def people(client: httpx.Client, **wanted: Any) -> list[dict[str, Any]]:
    """All pages of people."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/api/people", params={**wanted, "cursor": cursor}).raise_for_status().json()
        found, cursor = [*found, *page["people"]], page["next_cursor"]
    return found


def names(client: httpx.Client, **wanted: Any) -> list[str]:
    """The names on all pages."""
    return [one["name"] for one in people(client, **wanted)]


def test_people_are_listed_by_name_and_by_faces(house: World) -> None:
    """Page by page, each once."""
    for name, count in (("Max", 1), ("ada", 3), ("Kim", 2), ("Bo", 2)):
        faces_of(house, name, count)
    me = house.as_user("ann")

    assert names(me, limit=2) == names(me) == ["ada", "Bo", "Kim", "Max"]
    by_faces = people(me, order="faces", limit=1)
    assert [one["labeled"] for one in by_faces] == [3, 2, 2, 1]
    assert {one["name"] for one in by_faces} == {"ada", "Bo", "Kim", "Max"}


def test_people_are_found_by_a_part_of_their_name_and_counted(house: World) -> None:
    """However they are spelt; the sum is of all pages."""
    for name in ("Ada Kern", "Åda", "Kim"):
        faces_of(house, name, 1)
    me = house.as_user("ann")

    assert names(me, q="KERN") == ["Ada Kern"]
    assert names(me, q=" å") == ["Åda"]
    assert names(me, q="nobody") == []
    assert me.get("/api/people", params={"limit": 1}).json()["total"] == 3
    assert me.get("/api/people", params={"limit": 1, "q": "kern"}).json()["total"] == 1


def test_people_are_listed_with_some_of_their_faces(house: World) -> None:
    """As many as are asked for, the one they are shown by first; none where nobody asks."""
    made = faces_of(house, "Kim", 3)
    faces_of(house, "Lee", 1)
    me = house.as_user("ann")
    me.patch(f"/api/people/{id_of('Kim')}", json={"cover_face_id": made[1]}).raise_for_status()

    kim, lee = people(me, samples=2)
    assert [one["face_id"] for one in kim["samples"]] == [made[1], max(made[0], made[2])]
    assert [one["chosen"] for one in kim["samples"]] == [True, False]
    assert (kim["cover"], len(lee["samples"])) == (kim["samples"][0], 1)
    assert people(me)[0]["samples"] == []
    assert me.get("/api/people", params={"samples": 13}).status_code == 400


def test_what_else_is_known_of_somebody(house: World) -> None:
    """On how many photos they are, and when; those who were merged into them count. Another owner's are like none."""
    days = [NOON, NOON + timedelta(days=30)]
    for name, day in zip(("Kim", "Lee"), days, strict=True):
        photo = house.photo("ann", f"{name}.jpg", taken_at=day)
        naming(house, "ann").label([face(house, "ann", photo), face(house, "ann", photo, 1)], name=name)
    me, path = house.as_user("ann"), f"/api/people/{id_of('Kim')}/about"

    assert me.get(path).json() == {
        "photos": 1, "first_at": "2024-05-17T12:00:00Z", "last_at": "2024-05-17T12:00:00Z", "maybe": [],
    }  # fmt: skip
    me.post("/api/people/merge", json={"into": id_of("Kim"), "others": [id_of("Lee")]}).raise_for_status()
    both = me.get(path).json()
    assert (both["photos"], both["last_at"]) == (2, "2024-06-16T12:00:00Z")
    assert house.as_user("ben").get(path).status_code == 404


def test_counts_say_how_faces_are_known(house: World) -> None:
    """Who was merged counts for whom they were merged into."""
    faces_of(house, "Kim", 2)
    faces_of(house, "Lee", 1)
    photo = house.photo("ann", "more.jpg")
    guessed, alike = face(house, "ann", photo), face(house, "ann", photo, 1)
    thought(house, "ann", id_of("Lee"), "inferred", 0.93, guessed)
    cluster(house, "ann", "c" * 32, alike)
    me = house.as_user("ann")

    merged = me.post("/api/people/merge", json={"into": id_of("Kim"), "others": [id_of("Lee")]}).json()

    assert (merged["name"], merged["labeled"], merged["inferred"], merged["unknown"]) == ("Kim", 3, 1, 0)
    assert people(me) == [merged]
    assert me.get(f"/api/people/{id_of('Lee')}").json() == merged
    (group,) = people(me, kind="cluster")
    assert (group["name"], group["kind"], group["unknown"], group["labeled"]) == ("", "cluster", 1, 0)


def test_a_cover_is_the_surest_and_largest_face_unless_somebody_chose_one(house: World) -> None:
    """With the photo's pictures, which can be fetched; a chosen one that is another's by now is none."""
    small, large = faces_of(house, "Kim", 2)
    photo = house.photo("ann", "large.jpg")
    largest = face(house, "ann", photo, right=1.0, bottom=1.0)
    thought(house, "ann", id_of("Kim"), "inferred", 0.99, largest)
    faces = house.library("ann").faces
    faces.update(changes_of([{"face_id": large, "bottom": 0.9}], faces.schema))
    me, path = house.as_user("ann"), f"/api/people/{id_of('Kim')}"

    told = me.get(path).json()["cover"]
    assert (told["face_id"], told["chosen"]) == (large, False)
    assert told["box"]["bottom"] == pytest.approx(0.9)
    assert (told["width"], told["height"]) == (4, 3)
    assert me.get(told["thumbnails"]["square"]).status_code == 200

    chosen = me.patch(path, json={"cover_face_id": small}).json()["cover"]
    assert (chosen["face_id"], chosen["chosen"]) == (small, True)
    assert people(me)[0]["cover"] == chosen
    me.post("/api/faces/label", json={"face_ids": [small], "name": "Lee"}).raise_for_status()
    assert me.get(path).json()["cover"]["face_id"] == large
    assert {one["name"]: (one["cover"]["face_id"], one["cover"]["chosen"]) for one in people(me)} == {
        "Kim": (large, False), "Lee": (small, False),
    }  # fmt: skip


def test_a_cover_of_somebody_else_is_refused(house: World) -> None:
    """400, saying what to choose."""
    faces_of(house, "Kim", 1)
    (other,) = faces_of(house, "Lee", 1)

    answer = house.as_user("ann").patch(f"/api/people/{id_of('Kim')}", json={"cover_face_id": other})

    assert answer.status_code == 400
    assert "this person's" in answer.json()["detail"]


def test_a_person_without_faces_has_no_cover(house: World) -> None:
    """They are listed all the same; a cluster is not."""
    made = faces_of(house, "Kim", 1)
    cluster(house, "ann", "c" * 32)
    me = house.as_user("ann")
    me.post("/api/faces/unlabel", json={"face_ids": made}).raise_for_status()

    (kim,) = people(me)
    assert (kim["cover"], kim["labeled"]) == (None, 0)
    assert people(me, kind="cluster") == []


def test_people_are_hidden_and_shown(house: World) -> None:
    """They are in the other list meanwhile."""
    faces_of(house, "Kim", 1)
    faces_of(house, "Lee", 1)
    me, path = house.as_user("ann"), f"/api/people/{id_of('Kim')}"

    assert me.patch(path, json={"hidden": True}).json()["hidden"]
    assert (names(me), names(me, hidden=True)) == (["Lee"], ["Kim"])
    me.patch(path, json={"hidden": False})
    assert (names(me), names(me, hidden=True)) == (["Kim", "Lee"], [])


def test_a_cluster_gets_a_name_and_keeps_its_id(house: World) -> None:
    """Its faces are labeled."""
    cluster(house, "ann", "c" * 32, face(house, "ann", house.photo("ann", "one.jpg")))
    me = house.as_user("ann")

    told = me.patch(f"/api/people/{'c' * 32}", json={"name": "Kim"}).json()

    assert (told["person_id"], told["kind"], told["labeled"], told["unknown"]) == ("c" * 32, "person", 1, 0)
    assert names(me) == ["Kim"]


def test_a_name_that_another_has_is_refused(house: World) -> None:
    """409, with what to do; a name that cannot be seen is 400."""
    faces_of(house, "Kim", 1)
    faces_of(house, "Lee", 1)
    me, path = house.as_user("ann"), f"/api/people/{id_of('Lee')}"

    taken = me.patch(path, json={"name": " kim"})
    assert taken.status_code == 409
    assert "merge" in taken.json()["detail"]
    for name in ("", "   ", "a\0b", "\u202eevil", "\u3164", "a\u2800", "\u115f\u1160", "\uffa0", "a" * 129):
        assert me.patch(path, json={"name": name}).status_code == 400
    assert names(me) == ["Kim", "Lee"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_come_back_as_they_were(house: World, name: str) -> None:
    """Wherever they stand: JSON is all that escapes them."""
    (made,) = faces_of(house, "Kim", 1)
    me = house.as_user("ann")

    assert me.patch(f"/api/people/{id_of('Kim')}", json={"name": name}).json()["name"] == name
    assert names(me) == [name]
    assert me.get(f"/api/faces/{made}").json()["face"]["person"] == name
    assert me.get(f"/api/photos/{made[:32]}").json()["faces"][0]["name"] == name
    again = me.post("/api/faces/label", json={"face_ids": [made], "name": name}).json()
    assert again == {"person_id": id_of("Kim"), "name": name, "faces": 1}


def test_faces_are_split_off(house: World) -> None:
    """They are the other person's, and rejected of the first."""
    first, second = faces_of(house, "Kim", 2)
    me = house.as_user("ann")

    other = me.post(f"/api/people/{id_of('Kim')}/split", json={"face_ids": [second], "name": "Lee"}).json()

    assert (other["name"], other["labeled"], other["cover"]["face_id"]) == ("Lee", 1, second)
    assert me.get(f"/api/people/{id_of('Kim')}").json()["cover"]["face_id"] == first
    facts = house.library("ann").facts.rows().to_pylist()
    assert ("reject", second, id_of("Kim")) in {(row["kind"], row["face_id"], row["person_id"]) for row in facts}


def test_another_owners_people_are_like_none(house: World) -> None:
    """Same status and body as for an id that never was, and nothing changes."""
    (made,) = faces_of(house, "Kim", 1)
    ben, kim = house.as_user("ben"), id_of("Kim")
    calls: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "/api/people/{}", None),
        ("PATCH", "/api/people/{}", {"name": "Mine"}),
        ("POST", "/api/people/{}/split", {"face_ids": [made], "name": "Mine"}),
    ]
    for method, path, body in calls:
        theirs = ben.request(method, path.format(kim), json=body)
        nobodys = ben.request(method, path.format("0" * 32), json=body)
        assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    assert ben.post("/api/people/merge", json={"into": kim, "others": [kim]}).status_code == 404
    assert people(ben) == []
    assert names(house.as_user("ann")) == ["Kim"]


def test_bodies_are_taken_at_their_word(house: World) -> None:
    """What is not known is refused, as is too much."""
    faces_of(house, "Kim", 1)
    me, path = house.as_user("ann"), f"/api/people/{id_of('Kim')}"

    for body in ({"nam": "Lee"}, {"name": 1}, {"hidden": "yes"}, {"name": "x" * 1000}, {"cover_face_id": "x" * 200}):
        assert me.patch(path, json=body).status_code == 400, body
    for merger in ({"into": "x", "others": []}, {"into": "x"}, {"into": "x", "others": ["y"] * 1001}):
        assert me.post("/api/people/merge", json=merger).status_code == 400, merger
    assert me.get("/api/people", params={"order": "size"}).status_code == 400
    assert me.get("/api/people", params={"cursor": "x"}).status_code == 400
    assert names(me) == ["Kim"]
