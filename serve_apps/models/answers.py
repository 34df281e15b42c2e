"""One plain sentence out of whatever a language model answers. Knows no model; leaves out what was asked."""

import re
import unicodedata

LONGEST = 300  # characters of a sentence
JOINERS = "\u200c\u200d"  # invisible, but part of how Persian, Hindi and emoji are written
THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
TAG = re.compile(r"</?[A-Za-z|!][^<>]*>")
SIGNS = str.maketrans(dict.fromkeys('"“”„«»*`#<>[]{}|\\~_', " "))
LIST_ITEM = re.compile(r"^(?:[-•–—+]|\d{1,2}[.)])\s+")
LABEL = re.compile(r"^(?:here(?:'s| is)[^:]{0,40}|(?:one |the )?(?:sentence|caption|answer|description))\s*:\s*", re.I)
REFUSAL = re.compile(r"^(?:sorry,|i(?:['’]m| am) (?:sorry|unable)|i can(?:not|['’]t)|as an ai\b)", re.I)
END = re.compile(r"[.!?…]+['’)]*(?=\s|$)|[。！？]")
SHORT_FORM = re.compile(r"(?:^|[\s.(])(?:[A-Z]|St|Mt|Ft|Mr|Mrs|Ms|Dr|Prof|Jr|Sr|No|vs|etc)$")


def one_sentence(answer: str, ended: bool = True) -> str:
    """The first sentence of an answer, in one line without quotes and markup, at most 300 characters.

    Empty when there is none: no words, a refusal, a thought, or a sentence that was broken off (`ended` is false).
    """
    lines = THOUGHT.sub("", answer).splitlines()
    for number, line in enumerate(lines):
        text = plain(line)
        if text and not text.endswith(":"):  # `Here is your sentence:`
            return useful(text, ended or number < len(lines) - 1)
    return ""


def useful(text: str, whole: bool) -> str:
    """The first sentence of a plain line; empty when it says nothing or is not whole."""
    end = sentence_end(text)
    letters = sum(sign.isalpha() for sign in text[:end])
    if letters < 2 or REFUSAL.match(text) or (end is None and not whole):
        return ""
    return shortened(text[:end])


def plain(line: str) -> str:
    """A line without control characters, markup, quotation marks, and the labels models begin with."""
    text = TAG.sub(" ", LINK.sub(r"\1", printable(line))).translate(SIGNS)
    text = LIST_ITEM.sub("", " ".join(text.split()))
    text = LABEL.sub("", text).strip("'‘’ ")
    return re.sub(r"\s+([.,!?;:])", r"\1", text)


def printable(text: str) -> str:
    """The text without control and invisible characters; line breaks become spaces."""
    return "".join(sign for sign in " ".join(text.split()) if sign in JOINERS or unicodedata.category(sign)[0] != "C")


def sentence_end(text: str) -> int | None:
    """Where the first sentence of a line ends; none when it does not."""
    for found in END.finditer(text):
        before, after = text[max(0, found.start() - 8) : found.start()], text[found.end() : found.end() + 2].lstrip()
        goes_on = found.group().startswith(".") and (after[:1].islower() or SHORT_FORM.search(before))
        if not after or not goes_on:
            return found.end()
    return None


def shortened(text: str) -> str:
    """A text of at most 300 characters, cut between words."""
    if len(text) <= LONGEST:
        return text
    return text[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"
