"""Faces over HTTP: pages in three orders, whom one may be, and what their owner says of them."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import simplejpeg

from cluster.store.people import id_of
from cluster.store.schema import rows_of
from serve_apps.media.addresses import derived_path
from serve_apps.models.protocol import DetectedFace
from tests.api.album import cluster, face, naming, thought
from tests.api.standins import FACES
from tests.api.world import NOON, World, answering, build

KIM, LEE = id_of("Kim"), id_of("Lee")
POINTS = ((0.5, 0.5),) * 5


@pytest.fixture
def house(tmp_path: Path) -> Iterator[World]:
    """Ann with five faces, a day apart: one Kim's, one Lee's perhaps, one in a cluster, two nobody's; and Ben."""
    world = build(tmp_path)
    world.deps = dataclasses.replace(world.deps, revisions=lambda: {"faces": FACES})
    for name in ("ann", "ben"):
        world.user(name)
    for i in range(5):
        face(world, "ann", world.photo("ann", f"{i}.jpg", taken_at=NOON + timedelta(days=i)))
    made = faces(world)
    naming(world, "ann").label([made[0]], name="Kim")
    naming(world, "ann").label([made[1]], name="Lee")
    thought(world, "ann", LEE, "inferred", 0.93, made[1])
    cluster(world, "ann", "c" * 32, made[2])
    with answering(world):
        yield world


def faces(world: World) -> list[str]:
    """Ann's faces, by when their photos were taken."""
    library = world.library("ann")
    order = library.photos.rows(None, ["photo_id"], order_by="taken_at")["photo_id"].to_pylist()
    return [f"{photo}-00" for photo in order]


def listed(client: httpx.Client, **wanted: Any) -> list[dict[str, Any]]:
    """All pages of faces, two at a time."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {**wanted, "cursor": cursor, "limit": 2}
        page = client.get("/api/faces", params=params).raise_for_status().json()
        found, cursor = [*found, *page["faces"]], page["next_cursor"]
    assert len({one["face_id"] for one in found}) == len(found)
    return found


def ids(client: httpx.Client, **wanted: Any) -> list[str]:
    """The ids on all pages."""
    return [one["face_id"] for one in listed(client, **wanted)]


def test_faces_come_by_person_certainty_or_time(house: World) -> None:
    """Names first, then clusters, then nobody's; the surest or the least sure first; the newest photo first."""
    me, made = house.as_user("ann"), faces(house)

    assert ids(me, order="person") == [*made[:3], *sorted(made[3:])]
    assert ids(me, order="certainty") == [*made[:2], *sorted(made[2:])]
    assert ids(me, order="doubt") == [*sorted(made[2:]), *made[:2][::-1]]
    assert ids(me, order="time") == made[::-1]


def test_faces_of_undated_photos_come_last(house: World) -> None:
    """By time, page by page."""
    undated = face(house, "ann", house.photo("ann", "undated.jpg", taken_at=None))

    assert ids(house.as_user("ann"), order="time")[-1] == undated


def test_faces_are_filtered_by_person_standing_and_photo(house: World) -> None:
    """Also by the id of somebody who was merged, and of a cluster."""
    me, made = house.as_user("ann"), faces(house)

    assert ids(me, person_id=KIM) == [made[0]]
    assert ids(me, person_id="c" * 32) == [made[2]]
    assert ids(me, standing="labeled") == [made[0]]
    assert ids(me, standing="inferred") == [made[1]]
    assert sorted(ids(me, standing="unknown")) == sorted(made[2:])
    assert ids(me, photo_id=made[3][:32]) == [made[3]]
    assert ids(me, photo_id=made[3][:32], standing="labeled") == []
    me.post("/api/people/merge", json={"into": KIM, "others": [LEE]}).raise_for_status()
    assert sorted(ids(me, person_id=LEE)) == sorted(made[:2])
    assert ids(me, hidden=True) == []
    me.patch(f"/api/people/{KIM}", json={"hidden": True}).raise_for_status()
    assert (sorted(ids(me, hidden=True)), sorted(ids(me, hidden=False))) == (sorted(made[:2]), sorted(made[2:]))
    assert me.get("/api/faces", params={"hidden": False, "limit": 1}).json()["total"] == 3


def test_a_face_tells_where_it_is_whose_and_how_that_is_known(house: World) -> None:
    """The word for what is not known is `unknown`."""
    me, made = house.as_user("ann"), faces(house)
    known, guessed, alike = (me.get(f"/api/faces/{one}").json()["face"] for one in made[:3])

    assert known.pop("box")["right"] == pytest.approx(0.3)
    assert me.get(known.pop("thumbnails")["small"]).status_code == 200
    assert known == {
        "face_id": made[0], "photo_id": made[0][:32], "score": 0.5, "person_id": KIM, "person": "Kim",
        "standing": "labeled", "probability": 1.0, "origin": "", "taken_at": "2024-05-17T12:00:00Z",
        "width": 4, "height": 3,
    }  # fmt: skip
    assert (guessed["person"], guessed["standing"]) == ("Lee", "inferred")
    assert guessed["probability"] == pytest.approx(0.93)
    assert (alike["person_id"], alike["person"], alike["standing"]) == ("c" * 32, "", "unknown")


def test_a_photo_tells_whose_its_faces_are_and_photos_are_found_by_person(house: World) -> None:
    """Labeled and inferred; the id of a merged person finds both ones' photos."""
    me, made = house.as_user("ann"), faces(house)

    def photos(person: str) -> list[str]:
        page = me.get("/api/photos", params={"person": person}).raise_for_status().json()["photos"]
        return [one["photo_id"] for one in page]

    (told,) = me.get(f"/api/photos/{made[1][:32]}").json()["faces"]
    assert (told["person_id"], told["name"], told["standing"], told["origin"]) == (LEE, "Lee", "inferred", "")
    assert (photos(KIM), photos(LEE)) == ([made[0][:32]], [made[1][:32]])
    assert photos("c" * 32) == []
    assert me.get("/api/photos", params={"person": "0" * 32}).status_code == 404
    me.post("/api/people/merge", json={"into": KIM, "others": [LEE]}).raise_for_status()
    assert photos(LEE) == photos(KIM) == [made[1][:32], made[0][:32]]


def test_whom_a_face_may_be_is_told_likeliest_first(house: World) -> None:
    """Nobody of whom it was rejected; nobody where there are no vectors."""
    me, made = house.as_user("ann"), faces(house)
    assert me.get(f"/api/faces/{made[3]}").json()["candidates"] == []
    library = house.library("ann")
    naming(house, "ann").label([made[1]], name="Lee")
    table = library.embeddings(FACES, 8)
    looks = {made[0]: [1.0, 0.0], made[1]: [0.0, 1.0], made[3]: [0.96, 0.28]}
    rows = [{"id": key, "photo_id": key[:32], "vector": [*two, *[0.0] * 6]} for key, two in looks.items()]
    table.upsert(rows_of(rows, table.schema))
    path = f"/api/faces/{made[3]}"

    told = me.get(path).json()["candidates"]
    assert [one["name"] for one in told][:1] == ["Kim"]
    assert 1 >= told[0]["probability"] >= told[-1]["probability"] >= 0
    assert len(me.get(path, params={"candidates": 1}).json()["candidates"]) == 1
    assert me.get(path, params={"candidates": 0}).json()["candidates"] == []
    me.post("/api/faces/reject", json={"face_ids": [made[3]], "person_id": KIM}).raise_for_status()
    assert "Kim" not in [one["name"] for one in me.get(path).json()["candidates"]]


def test_what_is_said_is_told_at_once(house: World) -> None:
    """Label, confirm, reject, unlabel, delete; the library's sums follow."""
    me, made = house.as_user("ann"), faces(house)

    def sums() -> tuple[int, ...]:
        told = me.get("/api/library/stats").json()
        names = ("people", "faces", "faces_labeled", "faces_inferred", "faces_unknown")
        return tuple(told[name] for name in names)

    assert sums() == (2, 5, 1, 1, 3)
    told = me.post("/api/faces/label", json={"face_ids": [made[3], made[2]], "name": "Kim"}).json()
    assert told == {"person_id": KIM, "name": "Kim", "faces": 2}
    assert sums() == (2, 5, 3, 1, 1)
    assert me.post("/api/faces/confirm", json={"face_ids": [made[1]]}).json() == {"faces": 1}
    assert sums() == (2, 5, 4, 0, 1)
    assert me.post("/api/faces/reject", json={"face_ids": [made[1]]}).json() == {"faces": 1}
    assert sums() == (1, 5, 3, 0, 2)
    assert me.post("/api/faces/unlabel", json={"face_ids": made[2:4]}).json() == {"faces": 2}
    assert sums() == (1, 5, 1, 0, 4)
    assert me.post("/api/faces/delete", json={"face_ids": made}).json() == {"faces": 5}
    assert sums() == (0, 0, 0, 0, 0)


def test_what_cannot_be_said_is_refused_with_a_sentence(house: World) -> None:
    """409 where nobody is thought of, or has been named; 400 for what says nothing."""
    me, made = house.as_user("ann"), faces(house)

    for path in ("confirm", "reject"):
        answer = me.post(f"/api/faces/{path}", json={"face_ids": [made[4]]})
        assert (answer.status_code, "Nobody is thought of" in answer.json()["detail"]) == (409, True)
    assert me.post("/api/faces/label", json={"face_ids": [made[4]], "person_id": "c" * 32}).status_code == 409
    for body in (
        {"face_ids": [made[4]]}, {"face_ids": [made[4]], "name": "Kim", "person_id": KIM},
        {"face_ids": [], "name": "x"}, {"face_ids": ["x" * 200], "name": "Kim"}, {"name": "Kim"},
        {"face_ids": [made[4]], "name": "Kim", "more": 1}, {"face_ids": ["x"] * 10_001, "name": "Kim"},
    ):  # fmt: skip
        assert me.post("/api/faces/label", json=body).status_code == 400, body


def preview(world: World, photo_id: str, size: tuple[int, int] = (200, 400)) -> None:
    """Give a photo of Ann's a preview that can be looked at: height and width."""
    pixels = np.full((*size, 3), 127, np.uint8)
    path = derived_path(world.settings.derived / world.users["ann"].user_id, photo_id, "preview")
    path.write_bytes(simplejpeg.encode_jpeg(pixels))


BOX = {"left": 0.5, "top": 0.5, "right": 0.7, "bottom": 0.9}


def test_a_face_is_added_by_a_box_with_the_vector_of_what_is_found_there(house: World) -> None:
    """The service sees the box with a margin; of what it finds, the face that is there counts."""
    me, photo = house.as_user("ann"), faces(house)[4][:32]
    preview(house, photo)
    there, beside = [1.0, *[0.0] * 7], [0.0, 1.0, *[0.0] * 6]
    house.models.faces_seen = [
        DetectedFace((0.0, 0.0, 0.2, 0.2), 0.99, POINTS, beside),
        DetectedFace((0.27, 0.3, 0.76, 0.85), 0.97, POINTS, there),
    ]

    answer = me.post("/api/faces", json={"photo_id": photo, **BOX, "name": "Kim"})

    assert answer.status_code == 201
    told = answer.json()
    assert (told["person"], told["standing"], told["origin"]) == ("Kim", "labeled", "user")
    assert told["box"] == pytest.approx(BOX)
    assert house.models.pictures[0].shape == (140, 160, 3)  # 0.4 to 0.8 of the width, 0.3 to 1 of the height
    table = house.library("ann").registry.find(FACES)
    assert table
    assert table.vectors([told["face_id"]]) == {told["face_id"]: there}
    assert me.get(f"/api/photos/{photo}").json()["photo"]["face_count"] == 2


@pytest.mark.parametrize("why", ["stopped", "sees nothing", "no preview"])
def test_a_face_is_added_without_a_vector_where_nobody_has_one(house: World, why: str) -> None:
    """That is no error; it may have nobody's name."""
    me, photo = house.as_user("ann"), faces(house)[4][:32]
    if why != "no preview":
        preview(house, photo)
    if why == "stopped":
        house.models.down.add("face_recognition")

    answer = me.post("/api/faces", json={"photo_id": photo, **BOX})

    assert (answer.status_code, answer.json()["standing"]) == (201, "unknown")
    assert house.library("ann").registry.find(FACES) is None


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (200, 400)])
@pytest.mark.parametrize("box", [(0, 0, 1, 1), (0.9999, 0.9999, 1, 1), (0, 0, 1e-9, 1e-9), (0.3, 0.99, 0.31, 1)])
def test_any_box_in_any_picture_can_be_looked_at(
    house: World, size: tuple[int, int], box: tuple[float, float, float, float]
) -> None:
    """However small: there is a pixel to see."""
    photo = house.photo("ann", "any.jpg")
    preview(house, photo, size)
    sides = dict(zip(("left", "top", "right", "bottom"), box, strict=True))

    assert house.as_user("ann").post("/api/faces", json={"photo_id": photo, **sides}).status_code == 201
    assert min(house.models.pictures[0].shape) >= 1


def test_a_box_that_is_none_or_somebodys_already_is_refused(house: World) -> None:
    """400 and 409; nothing is added."""
    me, made = house.as_user("ann"), faces(house)
    photo = made[4][:32]
    preview(house, photo)
    for sides in ({"right": 0.5}, {"right": 0.1}, {"left": -0.1}, {"bottom": 1.5}, {"top": None}, {"extra": 1}):
        assert me.post("/api/faces", json={"photo_id": photo, **BOX, **sides}).status_code == 400, sides
    there = {"left": 0.1, "top": 0.25, "right": 0.3, "bottom": 0.5}
    assert me.post("/api/faces", json={"photo_id": photo, **there}).status_code == 409
    assert me.post("/api/faces", json={"photo_id": photo, **BOX, "person_id": "0" * 32}).status_code == 404

    assert len(listed(me)) == 5


def test_another_owners_faces_are_like_none(house: World) -> None:
    """Same status and body as for ids that never were, and nothing changes."""
    me, ben, made = house.as_user("ann"), house.as_user("ben"), faces(house)
    before = listed(me)

    def calls(face_id: str, person_id: str) -> list[httpx.Response]:
        photo, said = face_id[:32], {"face_ids": [face_id]}
        return [
            ben.get(f"/api/faces/{face_id}"), ben.get(f"/api/faces?photo_id={photo}"),
            ben.get(f"/api/faces?person_id={person_id}"), ben.post("/api/faces", json={"photo_id": photo, **BOX}),
            ben.post("/api/faces/label", json={**said, "name": "Mine"}),
            *[ben.post(f"/api/faces/{what}", json=said) for what in ("confirm", "reject", "unlabel", "delete")],
        ]  # fmt: skip

    for theirs, nobodys in zip(calls(made[0], KIM), calls("0" * 32 + "-00", "0" * 32), strict=True):
        assert (theirs.status_code, theirs.content) == (404, nobodys.content), theirs.request.url
    assert listed(ben) == []
    assert listed(me) == before
