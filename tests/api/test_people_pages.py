"""The pages of people without scripts: who is shown where, and all that can be said of them by plain forms."""

from typing import Any

import httpx
import pytest

from cluster.store.people import id_of
from tests.api.album import cluster, face, naming, thought
from tests.api.browsing import Page, browser, sent
from tests.api.world import World

HOSTILE = "<script>alert(1)</script> & \"quotes' {{7*7}}"
GROUP = "c" * 32


@pytest.fixture
def house(fresh: World) -> World:
    """Ann with Kim of two faces, Lee of one, one inferred as Lee's and a group of two; Ben with nothing."""
    fresh.user("ben")
    faces = [face(fresh, "ann", fresh.photo("ann", f"{i}.jpg")) for i in range(6)]
    naming(fresh, "ann").label(faces[:2], name="Kim")
    naming(fresh, "ann").label([faces[2]], name="Lee")
    thought(fresh, "ann", id_of("Lee"), "inferred", 0.93, faces[3])
    cluster(fresh, "ann", GROUP, *faces[4:])
    return fresh


@pytest.fixture
def ann(house: World) -> httpx.Client:
    """Ann's browser."""
    return browser(house, "ann")


def page(client: httpx.Client, path: str) -> Page:
    """A page."""
    return Page(client.get(path).raise_for_status())


def people(page: Page) -> list[str]:
    """The people who are listed on a page."""
    return [has["data-name"] for has in page.all("li") if "data-person" in has]


def person(house: World, name: str) -> dict[str, Any]:
    """Somebody of Ann's as the API tells of them."""
    told: dict[str, Any] = house.as_user("ann").get(f"/api/people/{id_of(name)}").json()
    return told


def test_people_are_shown_in_their_groups(ann: httpx.Client) -> None:
    """With counts by how their faces are known, and a face cut out of a thumbnail."""
    named, unknown, sure = (page(ann, f"/people?show={name}") for name in ("named", "unknown", "sure"))

    assert people(named) == ["Kim", "Lee"]
    assert "2 labeled" in named.text
    assert "1 to confirm" in named.text
    covers = named.all("image")
    assert len(covers) == 2
    assert ann.get(covers[0]["href"]).status_code == 200
    assert [has["data-person"] for has in unknown.all("li") if "data-person" in has] == [GROUP]
    assert "2 faces that look alike" in unknown.text
    assert len(sure.all("li", **{"data-standing": "inferred"})) == 1
    assert "Lee?" in sure.text
    assert "93 %" in sure.text


def test_somebody_without_photos_is_told_what_to_do(house: World) -> None:
    """To scan; there is nobody to show, to name or to confirm."""
    empty = page(browser(house, "ben"), "/people")

    assert "Nobody is here yet" in empty.text
    assert empty.all("a", href="/library")
    for path in ("/people?show=sure", "/people?show=unknown", "/people?show=hidden", "/people/acts"):
        assert browser(house, "ben").get(path).status_code == 200


def test_a_group_of_faces_gets_a_name(house: World, ann: httpx.Client) -> None:
    """And is a person then; training is offered, which has more to learn from now."""
    after = sent(ann, "/people?show=unknown", f"PATCH /api/people/{GROUP}", name="Tim")

    assert "The name is saved." in after.text
    assert people(page(ann, "/people")) == ["Kim", "Lee", "Tim"]
    assert house.as_user("ann").get(f"/api/people/{GROUP}").json()["labeled"] == 2
    (note,) = [has for has in after.all("div") if "data-train" in has]
    assert "hidden" not in note


def test_a_name_that_somebody_has_is_refused_with_what_to_do(ann: httpx.Client) -> None:
    """Merging; the page of the group offers whom it could be."""
    after = sent(ann, "/people?show=unknown", f"PATCH /api/people/{GROUP}", name="kim")
    assert "merge the two" in after.text

    merged = sent(ann, f"/people/{GROUP}", "POST /api/people/merge", into=id_of("Kim"))
    assert "They are one person now." in merged.text
    assert "4 labeled" in page(ann, f"/people/{id_of('Kim')}").text


def test_people_are_renamed_merged_hidden_and_shown_again(house: World, ann: httpx.Client) -> None:
    """Each by a form; a hostile name is text wherever it stands."""
    renamed = sent(ann, f"/people/{id_of('Kim')}", f"PATCH /api/people/{id_of('Kim')}", name=HOSTILE)
    assert HOSTILE in renamed.text
    assert "alert(1)" not in {has.get("src", "") for has in renamed.all("script")}
    assert len(renamed.all("script")) == len(page(ann, "/account").all("script")) + 1
    assert HOSTILE in page(ann, "/people").text
    assert HOSTILE in page(ann, "/people/acts").text

    kim = id_of("Kim")
    ticked = {"others:list": [kim, id_of("Lee")], "into": id_of("Lee")}
    assert people(sent(ann, "/people?select=true", "POST /api/people/merge", **ticked)) == ["Lee"]
    assert (person(house, "Lee")["labeled"], person(house, "Lee")["inferred"]) == (3, 1)

    path, lee = f"/people/{id_of('Lee')}", f"PATCH /api/people/{id_of('Lee')}"
    forms = [has for has in page(ann, path).all("form") if has.get("data-to") == lee]
    assert [has["id"] for has in forms] == ["rename", "hide"]
    ann.post("/form", data={"_to": lee, "_back": path, "hidden:bool": "true"})
    assert people(page(ann, "/people")) == []
    assert people(page(ann, "/people?show=hidden")) == ["Lee"]


@pytest.mark.parametrize(("answer", "counts"), [("confirm", (2, 0)), ("reject", (1, 0))])
def test_ticked_faces_are_confirmed_or_rejected(
    house: World, ann: httpx.Client, answer: str, counts: tuple[int, int]
) -> None:
    """By the button that sends the form, and taken back from the list of what was said."""
    (tile,) = page(ann, "/people?show=sure").all("li", **{"data-standing": "inferred"})
    button = {"_to": f"POST /api/faces/{answer}"}
    assert page(ann, "/people?show=sure").all("button", name="_to", value=button["_to"])

    ticked = {"face_ids:list": tile["data-face"]}
    after = sent(ann, "/people?show=sure", "POST /api/faces/confirm", **ticked, **button)
    assert "Nothing to confirm" in after.text
    assert (person(house, "Lee")["labeled"], person(house, "Lee")["inferred"]) == counts

    (undo, *_) = [has["data-to"] for has in page(ann, "/people/acts").all("form") if "undo" in has.get("data-to", "")]
    assert "taken back" in sent(ann, "/people/acts", undo).text
    assert (person(house, "Lee")["labeled"], person(house, "Lee")["inferred"]) == (1, 1)


def test_the_page_of_a_person_has_their_photos_and_faces(ann: httpx.Client) -> None:
    """And when they were seen; faces are split off, or become the cover."""
    kim, path = id_of("Kim"), f"/people/{id_of('Kim')}"
    photos, faces = page(ann, path), page(ann, f"{path}?tab=faces")

    assert "2 photos" in photos.text
    assert "17 May 2024" in photos.text
    assert len(photos.all("a", **{"class": "photo"})) == 2
    tiles = [has["data-face"] for has in faces.all("li") if "data-face" in has]
    assert len(tiles) == 2
    covered = sent(ann, f"{path}?tab=faces", f"PATCH /api/people/{kim}", cover_face_id=tiles[1], name="Kim")
    assert "The name is saved." in covered.text
    split = {"face_ids:list": tiles[1], "name:some": "Tim", "_to": f"POST /api/people/{kim}/split"}
    sent(ann, f"{path}?tab=faces", "POST /api/faces/reject", **split)
    assert people(page(ann, "/people")) == ["Kim", "Lee", "Tim"]


def test_how_sure_training_must_be_is_chosen(house: World, ann: httpx.Client) -> None:
    """By a slider with its meaning."""
    after = sent(ann, "/people", "PUT /api/library/confidence", **{"confidence:float": "0.755"})

    assert "75.5 %" in after.text
    assert house.as_user("ann").get("/api/library/confidence").json() == {"confidence": 0.755}


def test_somebody_elses_person_is_no_page(house: World) -> None:
    """404, like an id that never was; so is no id at all that could be one."""
    ben = browser(house, "ben")

    for name in (id_of("Kim"), "0" * 32, "x" * 300, "%00"):
        answer = ben.get(f"/people/{name}")
        assert answer.status_code in (400, 404)
        assert "Kim" not in answer.text
    assert ben.get("/people?show=everybody").status_code == 400
    assert ben.get("/people?cursor=AAAA").status_code == 400


def test_nothing_is_offered_to_train_once_it_is_undone(house: World, ann: httpx.Client) -> None:
    """Nor for what training does not learn from."""

    def offered() -> bool:
        (note,) = [has for has in page(ann, "/people").all("div") if "data-train" in has]
        return "hidden" not in note

    client = house.as_user("ann")
    assert offered()
    for act in client.get("/api/people/acts?limit=50").json()["acts"]:
        client.post(f"/api/people/acts/{act['act_id']}/undo")
    client.patch(f"/api/people/{GROUP}", json={"hidden": True}).raise_for_status()
    assert not offered()


def test_somebody_elses_training_does_not_count_as_ones_own(fresh: World) -> None:
    """Administrators hear of everybody's jobs, and are still told that training would help them."""
    fresh.user("chief", admin=True)
    faces = [face(fresh, "chief", fresh.photo("chief", f"{i}.jpg")) for i in range(3)]
    naming(fresh, "chief").label(faces[:2], name="Kim")

    fresh.as_user("ann").post("/api/library/actions/train-faces").raise_for_status()

    (note,) = [has for has in page(browser(fresh, "chief"), "/people").all("div") if "data-train" in has]
    assert "hidden" not in note
