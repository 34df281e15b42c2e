"""What is suggested to somebody who types: names of their own library, over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.suggestions import matched
from api.vocabulary import Term, Vocabularies, folded
from cluster.store.people import id_of, key_of
from cluster.store.schema import rows_of
from tests.api.world import NOON, World

HOSTILE = "<img src=x onerror=alert(1)>\"'"


@pytest.fixture(scope="module")
def typist(world: World) -> httpx.Client:
    """A user with photos in three places and years, people, a hostile tag and an event."""
    world.user("typist")
    for number, (place, country) in enumerate([("Kraków", "Poland"), ("Kraków", "Poland"), ("Oslo", "Norway")]):
        world.photo(
            "typist", f"{number}.jpg", place=place, country=country, taken_at=NOON - timedelta(days=366 * number),
            tags=["Bow tie", HOSTILE] if number == 0 else ["bow tie"], tag_scores=[0.9, 0.8][: 2 - bool(number)],
            keywords=["Österreich"], kind="video" if number == 2 else "image",
        )  # fmt: skip
    world.photo("typist", "gone.jpg", place="Atlantis", country="Nowhere", missing=True)
    person(world, "typist", "Zoë Kraus")
    person(world, "typist", "Hidden Kraus", hidden=True)
    event = {
        "event_id": "e1", "title": "Weekend with Zoë in Kraków", "own_title": "", "first_at": NOON, "last_at": NOON,
        "photos": 2, "places": ["Kraków"], "people": ["Zoë Kraus"], "changed_at": NOON,
    }  # fmt: skip
    events = world.library("typist").events
    events.upsert(rows_of([event, {**event, "event_id": "e2", "deleted": True}], events.schema))
    return world.as_user("typist")


def person(world: World, owner: str, name: str, hidden: bool = False) -> str:
    """Somebody with a face on the first photo; returns their id."""
    library = world.library(owner)
    row = {
        "person_id": id_of(name), "name": name, "name_key": key_of(name), "kind": "person", "hidden": hidden,
        "created_at": NOON, "changed_at": NOON,
    }  # fmt: skip
    library.people.upsert(rows_of([row], library.people.schema))
    photo_id = library.photos.rows(None, ["photo_id"], 1, "taken_at", descending=True)["photo_id"].to_pylist()[0]
    face = {
        "face_id": f"{photo_id}-{id_of(name)[:2]}", "photo_id": photo_id, "left": 0.25, "top": 0.25, "right": 0.5,
        "bottom": 0.5, "score": 0.9, "landmarks": [0.5] * 10, "model": "faces@1", "person_id": id_of(name),
        "standing": "labeled", "probability": 1.0,
    }  # fmt: skip
    library.faces.upsert(rows_of([face], library.faces.schema))
    return str(row["person_id"])


def asked(client: httpx.Client, text: str, **params: Any) -> list[dict[str, Any]]:
    """The suggestions for a text."""
    answer = client.get("/api/suggestions", params={"q": text, **params})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["suggestions"]
    return found


def told(client: httpx.Client, text: str) -> list[tuple[str, str]]:
    """Kind and text of the suggestions for a text."""
    return [(one["kind"], one["text"]) for one in asked(client, text)]


@pytest.mark.parametrize("text", ["krak", "KRAKÓW", "krakow", "kraków  "])
def test_case_and_accents_do_not_matter(typist: httpx.Client, text: str) -> None:
    """The place whose name begins so comes before what has the word in the middle."""
    found = asked(typist, text)

    assert (found[0]["kind"], found[0]["text"], found[0]["detail"], found[0]["count"]) == (
        "place",
        "Kraków",
        "Poland",
        2,
    )
    assert found[0]["href"] == "/search?place=Krak%C3%B3w"
    assert ("event", "Weekend with Zoë in Kraków") in [(one["kind"], one["text"]) for one in found]


def test_a_person_is_told_with_their_face_and_page(typist: httpx.Client) -> None:
    """Hidden people and deleted events are not suggested."""
    found = asked(typist, "kraus")

    assert [(one["kind"], one["text"]) for one in found] == [("person", "Zoë Kraus")]
    assert found[0]["href"] == f"/people/{id_of('Zoë Kraus')}"
    assert found[0]["cover"]["box"]["left"] == 0.25
    assert asked(typist, "weekend kr")[0]["href"] == "/events/e1"
    assert len(asked(typist, "weekend kr")) == 1


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("2024", "time", "2024-01-01/2024-12-31"),
        ("may 2024", "time", "2024-05-01/2024-05-31"),
        ("2024-05", "time", "2024-05-01/2024-05-31"),
        ("BOW", "tag", "bow tie"),
        ("osterr", "tag", "österreich"),
        ("vid", "kind", "video"),
        ("norw", "place", "Norway"),
        ("owti", "tag", ""),
        ("slo", "place", "Oslo"),
    ],
)
def test_what_is_suggested_is_what_a_filter_takes(typist: httpx.Client, text: str, kind: str, value: str) -> None:
    """Its value as a filter and its address find photos; from three letters on, also in the middle of words."""
    found = [one for one in asked(typist, text) if one["kind"] == kind]

    assert [one["value"] for one in found[:1]] == ([value] if value else [])
    if found:
        filters = {"date_from": value[:10], "date_to": value[11:]} if kind == "time" else {kind: value}
        assert typist.get("/api/photos", params=filters).json()["photos"]


def test_the_last_words_are_enough(typist: httpx.Client) -> None:
    """What stands before them is told, and stays a search."""
    found = asked(typist, "a birthday in oslo")

    assert (found[0]["text"], found[0]["rest"]) == ("Oslo", "a birthday in")


def test_without_a_text_the_commonest_of_each_kind_come(typist: httpx.Client) -> None:
    """As examples of what may be searched for."""
    found = asked(typist, "", each=1)

    assert [one["kind"] for one in found] == ["person", "place", "time", "tag", "kind", "event"]
    assert [one["text"] for one in found][1] == "Kraków"


@pytest.mark.parametrize("text", ["!?", "\0", "\U0001f600", "%' OR 1=1", "x" * 1000, "a " * 500, "\u202eevil"])
def test_any_text_is_only_a_text(typist: httpx.Client, text: str) -> None:
    """It answers, and finds nothing by accident."""
    assert all(one["text"] for one in asked(typist, text))


def test_a_text_has_a_longest_length(typist: httpx.Client) -> None:
    """1,000 characters; and at most 20 of a kind."""
    assert typist.get("/api/suggestions", params={"q": "x" * 1001}).status_code == 400
    assert typist.get("/api/suggestions", params={"q": "x", "each": 21}).status_code == 400


def test_a_hostile_name_comes_as_it_is(typist: httpx.Client) -> None:
    """As text in JSON, its address encoded."""
    [found] = asked(typist, "onerror")

    assert found["text"] == HOSTILE
    assert "<" not in found["href"]


def test_nothing_of_missing_photos_and_of_other_owners_is_suggested(world: World, typist: httpx.Client) -> None:
    """Each library has its own names."""
    assert told(typist, "atlantis") == []
    assert told(world.as_user("ben"), "krak") == []


def test_a_new_name_is_suggested_soon(fresh: World) -> None:
    """Terms are kept for as long as their tables stay the same, and read anew a moment after."""
    client = fresh.as_user("ann")
    fresh.photo("ann", "1.jpg", place="Bergen")
    assert told(client, "quim") == []

    person(fresh, "ann", "Quim")

    fresh.until(lambda: told(client, "quim") == [("person", "Quim")])


def test_terms_that_stay_the_same_are_not_read_again(fresh: World) -> None:
    """Nor right after they were, while a scan changes the table all the time."""
    fresh.photo("ann", "1.jpg", place="Bergen")
    now = [0.0]
    kept = Vocabularies(lambda: now.append(now[-1] + 1.0) or now[-1])  # each reading takes a second
    library = fresh.library("ann")

    first = kept.of("u", library)
    readings = len(now)
    assert kept.of("u", library) == first
    assert len(now) == readings

    fresh.photo("ann", "2.jpg", place="Odense")
    assert kept.of("u", library) == first
    now.append(now[-1] + 1000)
    assert "Odense" in [one.text for one in kept.of("u", library)]


def test_a_word_that_is_typed_many_times_is_looked_for_once() -> None:
    """A text of a thousand characters costs no more for that than a short one, however many terms there are."""
    looked: list[object] = []

    class Key(str):
        def __contains__(self, part: object) -> bool:
            looked.append(part)
            return super().__contains__(str(part))

    terms = [Term("tag", "a", "a", 1, key=Key(" a"))]

    assert list(matched(terms, " a" * 500)) == [(1, terms[0])]
    assert len(looked) <= 2


def test_of_many_who_ask_first_at_the_same_time_one_reads(fresh: World) -> None:
    """The others wait for what that one has read, and do not each read all of it again."""
    fresh.photo("ann", "1.jpg", place="Bergen")
    now = [0.0]
    kept, library = Vocabularies(lambda: now.append(now[-1]) or now[-1]), fresh.library("ann")
    kept.of("alone", library)
    readings, now[:] = len(now) - 1, [0.0]

    with ThreadPoolExecutor(8) as asking:
        found = list(asking.map(lambda _: kept.of("u", library), range(8)))

    assert found == found[:1] * 8
    assert len(now) - 1 == readings


@pytest.mark.parametrize(
    ("text", "key"), [("Łódź", " lodz"), ("Bow-tie!", " bow tie"), ("ＦＵＬＬ", " full"), ("東京", " 東京"), ("", "")]
)
def test_texts_are_compared_without_case_accents_and_signs(text: str, key: str) -> None:
    """Each word after a space."""
    assert folded(text) == key
