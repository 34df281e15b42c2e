"""Take secrets out of text before it is written down: by what stands before them, by their shape, and by their value.

Knows nothing of logging. A secret that stands nowhere near a name of one, looks like nothing and was not remembered is
not found. Every rule looks at each character a bounded number of times, whatever the text is.
"""

import base64
import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

MARK = "***"
SHORTEST = 8  # shorter values are words of everyday; taking them out would make a log unreadable
LONGEST = 1 << 20  # characters that are looked at; what comes after them is left out
TAIL = 4096  # of a text that was cut to that, so much is left out: a secret may have been cut in half
SESSION_TOKEN = 43  # characters of `secrets.token_urlsafe(32)`
SESSION_COOKIE = "brightroom_session"  # as in api/cookies.py, which a test compares


@dataclass(frozen=True)
class Rule:
    """What is looked for where one of some words stands in the text in small letters, and what is put in its place."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]
    put: str | Callable[[re.Match[str]], str]


def rule(words: str, pattern: str, put: str | Callable[[re.Match[str]], str], flags: int = re.IGNORECASE) -> Rule:
    """A rule of words with spaces between them and a pattern."""
    return Rule(tuple(words.split()), re.compile(pattern, flags | re.ASCII | re.DOTALL), put)


def mixed(match: re.Match[str]) -> str:
    """The mark for what has capitals and small letters, as chance makes it; a hash in hexadecimals has not."""
    text = match[0]
    return text if text == text.lower() or text == text.upper() else MARK


# A quote, behind the backslashes of JSON in JSON; a value lasts until the same one comes again, or to the text's end.
QUOTE = r"(?:\\{0,7}[\"'])"
QUOTED = rf"[bru]{{0,2}}(?P<quote>{QUOTE})(?:[^\\\"']++|(?!(?<!\\)(?P=quote)).)*+"
# Between a name and its value: `=`, `": "`, `'] = `, `%3D`; or the comma of a pair in quotes.
SIGN = rf"(?:{QUOTE}|%(?:25){{0,2}}2[27])?\]?\s{{0,4}}(?:=>|[:=]|%(?:25){{0,2}}3[ad])\s{{0,4}}"
BETWEEN = rf"(?:{SIGN}|{QUOTE}\s{{0,4}},\s{{0,4}}(?=[bru]{{0,2}}{QUOTE}))"
# A value without quotes lasts until a space, or until what looks like the next name; several, until the bracket closes.
BARE = r"(?:[^\s&,;]++|[&,;](?!\s{0,3}[\"']?[\w.-]{1,60}[\"']?\s{0,3}[=:]))++"
SEVERAL = r"[\[({][^\])}]{0,2000}+"
NAMES = (
    r"(?:passw(?:or)?d|passphrase|passcode|pwd|secret|credential)[\w-]{0,40}+|(?<![a-z])pass|token|input_value"
    r"|(?:api|access|private|signing|encryption|account)[-_ ]?key(?:[-_]?id)?|x-amz-(?:signature|credential)"
    rf"|{SESSION_COOKIE}|(?:token|key)s(?={SIGN}[\[({{]\s{{0,4}}[bru]{{0,2}}{QUOTE})"
)
OPTIONS = r"(?:password|passwd|passphrase|passcode|secret|token|credentials?|(?:api|access|secret|private)-?key)"
NAME = re.compile(NAMES, re.IGNORECASE | re.ASCII)
HEADERS = r"(?:proxy-)?authorization|(?:set-)?cookies?|x-(?:auth|api|csrf|access)[\w-]{0,20}+"
BEGINS = r"(?:(?<![\w-])|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))"  # of a run of letters, also behind an escape of a URL

RULES = (
    rule(
        "-----begin",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----(?:[^-]++|(?!-----END)-)*+"
        r"(?:-----END [A-Z0-9 ]{0,60}-----)?",
        MARK,
    ),
    rule("://", r"://[^\s/?#]*@", f"://{MARK}@"),
    rule("://", r"://(?:(?!://)[^\s@:]){0,128}:(?!\d{1,5}[/?#])(?:(?!://)\S){0,128}@", f"://{MARK}@"),
    rule("%3a%2f%2f", r"%3a%2f%2f(?:(?!%2f)\S)*%40", f"%3A%2F%2F{MARK}%40"),
    rule(
        "authorization cookie x-",
        rf"(?P<name>(?:{HEADERS}){BETWEEN})(?:{QUOTED}|[^\r\n]++)",
        rf"\g<name>\g<quote>{MARK}",
    ),
    rule("cookie", r"(<cookie\s|cookies?(?:jar)?\()[^\r\n]++", rf"\1{MARK}"),
    rule("bearer", r"(bearer(?:\s{1,4}|%20|\+))[\w.~+/=-]{6,}", rf"\1{MARK}"),
    rule("basic", r"((?:[Bb]asic|BASIC)(?:\s{1,4}|%20|\+))(?=[a-z+/_-]{0,200}[A-Z0-9=])[\w+/=-]{6,}", rf"\1{MARK}", 0),
    rule(
        f"pass pwd secret credential token key input_value x-amz- {SESSION_COOKIE}",
        rf"(?P<name>(?:{NAMES}){BETWEEN})(?:{QUOTED}|{SEVERAL}(?:{BARE})?|{BARE})",
        rf"\g<name>\g<quote>{MARK}",
    ),
    rule(
        "--",
        rf"(?P<name>(?<![\w-])--[\w-]{{0,40}}?{OPTIONS}\s{{1,4}})(?:{QUOTED}|(?!--)\S++)",
        rf"\g<name>\g<quote>{MARK}",
    ),
    rule("$argon2", r"\$argon2[a-z]{0,2}\$[^\s\"']++", MARK),
    rule(
        "? &",
        r"([?&;][\w-]{0,40}(?:key|sig|signature|code|auth|sid|session|ticket|otp)(?:=|%3d))[^&\s\"'#<>]+",
        rf"\1{MARK}",
    ),
    rule("eyj", rf"{BEGINS}eyJ[\w-]{{5,}}\.[\w-]{{5,}}(?:\.[\w-]*)?", MARK, 0),
    rule("hf_", r"hf_[A-Za-z0-9]{10,}", MARK, 0),
    rule("akia asia", r"(?:AKIA|ASIA)[A-Z0-9]{16}", MARK, 0),
    rule("akia asia aws", r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])", mixed, 0),
)  # fmt: skip
TOKEN = re.compile(rf"{BEGINS}[A-Za-z0-9_-]{{{SESSION_TOKEN}}}(?![\w-])", re.ASCII)


class Redactor:
    """Takes secrets out of texts: those that rules find, and those that it was told to remember."""

    def __init__(self) -> None:
        self._known: tuple[str, ...] = ()  # swapped whole, so that texts are redacted without a lock
        self._names: tuple[str, ...] = ()  # of those the ones that are names of secrets too, such as `password`
        self._learning = threading.Lock()

    def remember(self, value: str) -> None:
        """Take this value out from now on, also URL-encoded, quoted and in base64; one under 8 characters is not."""
        if len(value.strip()) >= SHORTEST:
            with self._learning:
                known = sorted({*self._known, *self._names, *forms(value.strip())}, key=len, reverse=True)
                self._names = tuple(one for one in known if NAME.fullmatch(one))
                self._known = tuple(one for one in known if not NAME.fullmatch(one))

    def __call__(self, text: str) -> str:
        """The text without its secrets; of one over a megabyte the beginning."""
        whole = len(text) <= LONGEST
        text = self._redacted(text[:LONGEST])
        return text if whole else text[:-TAIL]

    def _redacted(self, text: str) -> str:
        text = without(self._known, text)
        lower = text.lower()
        for one in RULES:
            if any(word in lower for word in one.words):
                text = one.pattern.sub(one.put, text)
        text = TOKEN.sub(mixed, text) if len(text) >= SESSION_TOKEN else text
        return without(self._names, text)  # last: before it they tell the rules what is a secret


def without(values: Iterable[str], text: str) -> str:
    """A text with the mark in the place of each of these values."""
    for value in values:
        if value in text:
            text = text.replace(value, MARK)
    return text


redacted = Redactor()  # this process's own
remember = redacted.remember


def forms(value: str) -> set[str]:
    """A value as it may stand in a text."""
    plain = {value, quote(value, safe=""), quote(value), quote_plus(value)}
    plain |= {re.sub("%..", lambda escape: escape[0].lower(), form) for form in plain}
    escaped = {repr(value)[1:-1], json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return plain | escaped | in_base64(value.encode(errors="surrogatepass"))


def in_base64(data: bytes) -> set[str]:
    """Bytes as base64 shows them in the middle of others: what neighbours have a part in is left out."""
    found: set[str] = set()
    for shift, first in enumerate((0, 2, 3)):
        last = (shift + len(data)) * 8 // 6
        shown = base64.b64encode(bytes(shift) + data).decode()[first:last]
        found |= {shown, shown.translate(URL_SAFE), quote(shown, safe="")}
    return found


URL_SAFE = str.maketrans("+/", "-_")
SECRET_NAME = re.compile(r"TOKEN(?!IZER)|SECRET|PASSW|PASSPHRASE|CREDENTIAL|(?:^|_)KEYS?(?:_|$)|APIKEY")
PLACE_NAME = re.compile(r"_(?:PATH|FILE|DIR)$")


def remember_environment(environment: Mapping[str, str] = os.environ, known: Redactor = redacted) -> None:
    """Remember the variables whose names say that they are secrets; those that say where one lies are none."""
    for name, value in environment.items():
        if SECRET_NAME.search(name.upper()) and not PLACE_NAME.search(name.upper()):
            known.remember(value)


def remember_file(file: Path, known: Redactor = redacted) -> None:
    """Remember what a file holds, if it is there and may be read."""
    try:
        known.remember(file.read_text("utf8"))
    except (OSError, UnicodeError):
        return
