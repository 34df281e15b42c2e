"""Secrets are taken out of texts by their names, shapes and values; what is none stays; no text takes for ever."""

import base64
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cookies import PLAIN
from cluster.redaction import (
    LONGEST,
    MARK,
    SESSION_COOKIE,
    SESSION_TOKEN,
    Redactor,
    redacted,
    remember_environment,
    remember_file,
)
from cluster.store.sessions import Sessions
from tests.canaries import Canaries

STEADY = hypothesis.settings(deadline=None, derandomize=True, max_examples=80)
NAMES = (
    "password", "passwd", "passphrase", "pwd", "secret", "client_secret", "api_key", "API-KEY", "apikey", "token",
    "access_token", "refreshToken", "AWS_SECRET_ACCESS_KEY", "db_password", "brightroom_session",
)  # fmt: skip
WRITINGS: dict[str, Callable[[str, str], str]] = {
    "JSON": lambda name, value: json.dumps({"a": 1, name: value, "z": 2}),
    "JSON in JSON": lambda name, value: json.dumps({"body": json.dumps({name: value, "z": 2})}),
    "JSON in JSON in JSON": lambda name, value: json.dumps([json.dumps({"body": json.dumps({name: value})})]),
    "a dictionary": lambda name, value: repr({"a": 1, name: value}),
    "bytes": lambda name, value: repr({name.encode(): value.encode()}),
    "a pair": lambda name, value: repr([(name, value), ("host", "x")]),
    "a call": lambda name, value: f"open({name}={value!r}, mode='r')",
    "an item": lambda name, value: f"settings[{name!r}] = {value!r}",
    "a query": lambda name, value: f"GET /x?{name}={quote(value, safe='')}&limit=5 failed",
    "a form": lambda name, value: f"a=1&{name}={quote_plus(value)}&z=2",
    "a query in a query": lambda name, value: f"/login?next={quote(f'/x?{name}={quote(value)}', safe='')}",
}
# What an attacker may send again and again: parts of what the rules look for.
PIECES = (
    "password=", 'password="', "password='\\'", "password='\\\\\\\"", "pwd_", "pwd" + "-" * 40, "password=a,",
    "secret,'",
    "password" + "\\" * 7, "key=a&", "token%3D", "token ", "://", "://a:", "@://a:b", "%3a%2f%2f", "eyJ", "eyJaaaaaa.",
    "%3Da", "?a", "&key", "-----BEGIN PRIVATE KEY-----", "-----END", "-----BEGIN ", "Basic a", "basic " + "a" * 199,
    "bearer ", "authorization:", "cookie=", "x-auth", "AKIA", "aws/", "hf_a", "hf_", "a", "-", "cookies(",
    "<Cookie ", "--password ", "--" + "a" * 40, "--token --", "tokens: ['", "password=[", "keys%25252", "$argon2id$",
    "pass=(", "\\", '"', "'", " ",
    "\n", "A" * 42 + "-", "é", "'] = ",
)  # fmt: skip


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("name", NAMES)
@hypothesis.settings(deadline=None, derandomize=True, max_examples=8)
@given(inside=st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=12))
def test_a_value_behind_a_name_of_secrets_is_taken_out(writing: str, name: str, inside: str) -> None:
    """However it is quoted, and whatever signs are in it."""
    secret = f"Tr0ub4dorand{inside}3horsestap1es"

    text = redacted(WRITINGS[writing](name, secret))

    assert MARK in text
    assert Canaries({"it": secret}).in_bytes(text.encode()) == {}


@pytest.mark.parametrize("writing", ["JSON", "a dictionary", "a call", "a query", "a pair"])
def test_what_stands_around_a_secret_stays(writing: str) -> None:
    """A log without anything else in it would be of no use."""
    before, _, after = WRITINGS[writing]("password", "hunter2hunter2").partition("hunter2hunter2")

    assert redacted(f"{before}hunter2hunter2{after}") == f"{before}{MARK}{after}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abcdefgh", "Authorization: ***"),
        ("sent Bearer abcdefgh to x", "sent Bearer *** to x"),
        ("sent Basic YW5uOnB3 to x", "sent Basic *** to x"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: ***\nHost: x"),
        ("Set-Cookie: a=b; HttpOnly", "Set-Cookie: ***"),
        ("[(b'cookie', b'a=b'), (b'host', b'x')]", "[(b'cookie', '***'), (b'host', b'x')]"),
        ("https://ann:pw@host/dav?x=1", "https://***@host/dav?x=1"),
        ("https://ann:p/w@x@host/dav", "https://***@host/dav"),
        ("https://pw@host:80/dav", "https://***@host:80/dav"),
        ("https%3A%2F%2Fann%3Apw%40host%2Fdav", "https%3A%2F%2F***%40host%2Fdav"),
        ("/x?q=cat&sig=abc&n=1", "/x?q=cat&sig=***&n=1"),
        ("took hf_abcdefghijklmnop", "took ***"),
        ("took AKIAABCDEFGHIJKLMNOP", "took ***"),
        ("took eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_ as is", "took *** as is"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY----- x", "*** x"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc and no end", "***"),
        ("password: ***", "password: ***"),
        ("get(url, cookies={'sid': 'abc', 'n': 1})", "get(url, cookies=***"),
        ("<CookieJar[<Cookie sid=abc for x/>, <Cookie b=c for y/>]>\nnext", "<CookieJar[<Cookie ***\nnext"),
        ("Cookies({'sid': 'abc'})", "Cookies(***"),
        ("curl --user-password hunter2 --limit 5", "curl --user-password *** --limit 5"),
        ("hub --hf-token 'a b c' -v", "hub --hf-token '***' -v"),
        ("run --api-key -abc x", "run --api-key *** x"),
        ("passwords: ['abc', 'def'], n=1", "passwords: ***, n=1"),
        ("{'credentials': {'user': 'ann', 'value': 'abc'}, 'n': 1}", "{'credentials': ***, 'n': 1}"),
        ('{"tokens": ["abc", "def"], "n": 1}', '{"tokens": ***, "n": 1}'),
        ("password=[ab c", "password=***"),
        ("smtp_pass=abc, n=1", "smtp_pass=***, n=1"),
        ("next=%252Fx%253Fpassword%253Dabc&n=1", "next=%252Fx%253Fpassword%253D***&n=1"),
        ("User('ann', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA', False)", "User('ann', '***', False)"),
    ],
)
def test_secrets_with_a_look_of_their_own_are_taken_out(text: str, expected: str) -> None:
    """Headers, addresses, keys."""
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens=512, num_tokens: 77, tokenizer: bert",
        "the secret of /etc/shadow",
        "a basic understanding of cookies, 3 of them",
        "photo 4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5570d8b4b20d3a of 2024/05",
        "commit 3bad342e7774779f6669d4e74593eb73fadf6f2e",
        "GET /api/photos?q=cat&limit=5&cursor=WyIyMDI0Il0 took 12.5 ms",
        "http://127.0.0.1:8000/photos/of/ann@example.org",
        "keys: a, b; monkey=1",
        "keys: [1, 2], tokens=[101, 2023]",
        "--tokenizer bert --password-file /run/secrets/one --secret",
        "bypass=1; compass: north; pass two: 3 of 4 photos",
        'Traceback (most recent call last):\n  File "x.py", line 3, in <module>\n',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Words that only look like it, ids, times, addresses."""
    assert redacted(text) == text


def test_tokens_of_our_sessions_are_known_by_their_shape(tmp_path: Path) -> None:
    """Wherever they stand, also behind an escape of a URL."""
    for _ in range(200):
        token = secrets.token_urlsafe(32)  # as Sessions.open makes them
        for text in (f"seen {token}", f"/x/{token}/y", f"[{token}]", f"a%3D{token}%26"):
            assert token not in redacted(text)
    assert len(token) == SESSION_TOKEN
    assert "token_urlsafe(32)" in Path(Sessions.open.__code__.co_filename).read_text()


def test_the_cookie_is_called_as_the_api_calls_it() -> None:
    """The name is written twice, because the cluster knows nothing of HTTP."""
    assert SESSION_COOKIE == PLAIN


@STEADY
@given(value=st.text(st.characters(codec="utf-8"), min_size=12, max_size=40), before=st.text(max_size=4))
def test_a_remembered_value_is_taken_out_in_every_form(value: str, before: str) -> None:
    """As it is, for URLs and forms, in JSON, in Python, and in base64 in the middle of other bytes."""
    value = f"x7{value.strip()}Q9"
    redactor = Redactor()
    redactor.remember(value)
    packed = f"{before}{value}tail".encode()
    shown = [
        value, quote(value, safe=""), quote(value), quote_plus(value),
        json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value),
        base64.b64encode(packed).decode(), base64.urlsafe_b64encode(packed).decode(),
    ]  # fmt: skip

    for text in shown:
        assert Canaries({"it": value}).in_bytes(redactor(f"seen {text} here").encode()) == {}


def test_short_values_are_not_remembered() -> None:
    """Nobody wants every `admin` taken out of a log."""
    redactor = Redactor()
    redactor.remember("admin")

    assert redactor("the admin is in") == "the admin is in"


@pytest.mark.parametrize("poor", ["password", "Passphrase", "password1", "input_value", "credentials"])
def test_a_secret_that_is_a_name_of_secrets_hides_the_others_no_worse(poor: str) -> None:
    """Somebody's password is `password`: what stands behind that word is found as before, and the word is taken out."""
    redactor = Redactor()
    redactor.remember(poor)

    assert redactor(f"{poor}=correct-horse {poor}") == f"{MARK}={MARK} {MARK}"
    assert "correct" not in redactor(repr({poor: "correct-horse"}))


def test_the_environment_tells_secrets_by_their_names() -> None:
    """Those whose names say so; not what says where one lies, and not what is about something else."""
    redactor = Redactor()
    kept = {
        "RAY_AUTH_TOKEN_PATH": "/somewhere/ray-token",
        "TOKENIZERS_PARALLELISM": "falsefalse",
        "KEYBOARD": "qwertzui",
    }
    taken = {
        "HF_TOKEN": "value-one",
        "PGPASSWORD": "value-two",
        "S3_SECRET": "value-three",
        "OPENAI_API_KEY": "value-four",
    }
    remember_environment({**kept, **taken, "SHORT_TOKEN": "short"}, redactor)

    assert redactor(" ".join([*kept.values(), *taken.values(), "short"])) == (
        " ".join([*kept.values(), *[MARK] * len(taken), "short"])
    )


def test_a_file_tells_its_secret(tmp_path: Path) -> None:
    """Without its newline; one that is not there tells none."""
    redactor = Redactor()
    (tmp_path / "token").write_text("0123456789abcdef\n")
    for name in ("token", "none"):
        remember_file(tmp_path / name, redactor)

    assert redactor("x 0123456789abcdef.") == "x ***."


@STEADY
@given(text=st.lists(st.sampled_from([*PIECES, "x=1", "Bearer abcdefgh", "hunter2"]), max_size=8).map("".join))
def test_what_was_redacted_can_be_redacted_again(text: str) -> None:
    """Lines come through more than once, and lose no more each time they do."""
    once = redacted(text)

    assert redacted(redacted(once)) == redacted(once)
    assert len(redacted(once)) <= len(once) + len(MARK)


@pytest.mark.parametrize("piece", PIECES)
def test_a_megabyte_of_what_rules_look_for_comes_to_an_end(piece: str) -> None:
    """A rule that looked at each place as often as the text is long would take days."""
    redacted("@ " + (piece * (LONGEST // len(piece)))[: LONGEST - 2])


@hypothesis.settings(deadline=None, derandomize=True, max_examples=100)
@given(first=st.sampled_from(PIECES), pieces=st.lists(st.sampled_from(PIECES), min_size=2, max_size=4))
def test_mixtures_of_them_come_to_an_end_too(first: str, pieces: list[str]) -> None:
    """Whatever begins the text and whatever is repeated in it."""
    repeated = "".join(pieces)
    redacted(first + repeated * (200_000 // len(repeated)))


def test_the_end_of_a_text_that_is_too_long_tells_no_half_of_a_secret() -> None:
    """What lies across the place where it is cut is left out with what comes before it."""
    redactor, secret = Redactor(), "correct-horse-battery-staple"
    redactor.remember(secret)
    text = "a " * ((LONGEST - 10) // 2) + secret

    assert text[:LONGEST].endswith("correct-ho")
    assert "correct" not in redactor(text)
    assert len(redactor(text)) > LONGEST * 0.9
