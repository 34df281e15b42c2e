"""Hostile texts everywhere a text goes in: no answer is a server's error, and nobody sees another's photos."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.world import STEADY, World

BAD = [
    "'", '"', "' OR 1=1 --", "'; DROP TABLE photos; --", "\\", "%", "_", "*", "(", ")", "((((", "a AND", "NOT", "+",
    '"unclosed', "\0", "\n", "\r\n", "\t", "\u202e", "😀", "é" * 100, "a" * 200, "${x}", "{{x}}", "<script>", "../..",
    "taken_at IS NULL", "1", "-1", "NaN", "null", "true", "\ufeff", "ﬃ", "İ", "\u2028", "~2", "a~", "a^2", "title:x",
    "[a TO b]", "-a",
]  # fmt: skip
TEXTS = st.one_of(st.sampled_from(BAD), st.text(max_size=60), st.lists(st.sampled_from(BAD), max_size=4).map(" ".join))


@pytest.fixture(scope="module")
def victim(world: World) -> str:
    """Somebody else's photo."""
    return world.photo(
        "ben", "victim.jpg", search_text="secret victim", place="Hideaway", tags=["secret"], tag_scores=[1]
    )


@pytest.fixture(scope="module")
def attacker(world: World, victim: str) -> httpx.Client:
    """A user with one photo of their own."""
    world.user("mallory")
    world.photo("mallory", "own.jpg", search_text="own photo")
    return world.as_user("mallory")


def safe(answer: httpx.Response, victim: str) -> None:
    """The answer is no server's error and shows nothing of the victim's."""
    assert answer.status_code < 500, (answer.request.url, answer.text)
    assert victim not in answer.text


@STEADY
@given(text=TEXTS)
def test_any_query_is_answered(attacker: httpx.Client, victim: str, text: str) -> None:
    """By hits or by a problem."""
    safe(attacker.get("/api/search", params={"q": text}), victim)


@STEADY
@given(place=TEXTS, tag=TEXTS)
def test_any_place_and_tag_are_answered(attacker: httpx.Client, victim: str, place: str, tag: str) -> None:
    """Also together."""
    safe(attacker.get("/api/photos", params={"place": place, "tag": tag}), victim)


@STEADY
@given(cursor=TEXTS, day=TEXTS, limit=TEXTS)
def test_any_cursor_day_and_limit_are_answered(
    attacker: httpx.Client, victim: str, cursor: str, day: str, limit: str
) -> None:
    """Mostly by a problem."""
    safe(attacker.get("/api/photos", params={"cursor": cursor}), victim)
    safe(attacker.get("/api/jobs", params={"cursor": cursor, "limit": limit}), victim)
    safe(attacker.get("/api/photos", params={"date_from": day, "date_to": day}), victim)
    for order in ("person", "time"):
        safe(attacker.get("/api/faces", params={"cursor": cursor, "order": order, "person_id": cursor}), victim)
    safe(attacker.get("/api/people", params={"cursor": cursor, "limit": limit}), victim)


@STEADY
@given(text=TEXTS.filter(lambda text: text not in ("", ".", "..")))
def test_any_id_is_answered(attacker: httpx.Client, victim: str, text: str) -> None:
    """In paths and in parameters."""
    segment = quote(text, safe="")
    for path in (f"/api/photos/{segment}", f"/api/jobs/{segment}", f"/api/photos/{segment}/similar"):
        safe(attacker.get(path), victim)
    for path in (f"/api/people/{segment}", f"/api/faces/{segment}"):
        safe(attacker.get(path), victim)
    safe(attacker.get(f"/api/photos/{victim}/original", params={"file_id": text}), victim)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "password", "full", "paths"]), inner)
    ),
    max_leaves=6,
)


@STEADY
@given(body=JSON, client=st.integers(0, 2**20))
def test_any_body_is_answered(world: World, attacker: httpx.Client, victim: str, body: Any, client: int) -> None:
    """By logging in, scanning, or neither."""
    address = {"X-Forwarded-For": f"10.{client >> 16}.{client >> 8 & 255}.{client & 255}"}
    safe(attacker.post("/api/auth/login", json=body, headers=address), victim)
    safe(attacker.post("/api/library/actions/scan", json=body), victim)
    safe(attacker.post("/api/users", json=body), victim)
    safe(attacker.post("/api/faces/label", json=body), victim)
    safe(attacker.post("/api/people/merge", json=body), victim)


@pytest.mark.parametrize(
    "raw", [b"?q=%ff%fe", b"?q=%00", b"?q=%", b"?q=a&q=b", b"?q", b"?=", b"?" + b"&" * 500, b"?limit=1e9"]
)
def test_queries_that_are_no_text_are_answered(attacker: httpx.Client, victim: str, raw: bytes) -> None:
    """Bytes that are no UTF-8, repetitions, and nothing."""
    for path in ("/api/search", "/api/photos", "/api/jobs"):
        url = httpx.URL(str(attacker.base_url) + path).copy_with(query=raw.lstrip(b"?"))
        safe(attacker.get(url), victim)
