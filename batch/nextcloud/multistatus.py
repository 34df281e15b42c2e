"""The XML of a multistatus, read as a stream that may be hostile: bounded in bytes, depth, elements and texts.

Parsing is defusedxml's: no DOCTYPE, no entities. What the properties mean is in listing.py.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

import msgspec
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from batch.nextcloud.faults import Hostile, Unreachable

DAV = "{DAV:}"

MOST_ENTRIES = 250_000  # of one folder; one with 200,000 is to be read
MOST_BYTES = 256 << 20  # of one answer; an entry has some 800
MOST_DEPTH = 12  # elements inside each other; Nextcloud has seven
MOST_ELEMENTS = 200  # of one entry
MOST_TEXT = 32 << 10  # characters of one entry, its tags and attributes with them
MOST_SILENT = 256 << 10  # bytes without a tag or text: one endless comment, name or attribute
PIECE = 64 << 10  # bytes that the parser gets at once


class Entry(msgspec.Struct, frozen=True):
    """One response of a multistatus: what it is about, and those of its properties that the server has."""

    href: str
    found: Element


class Entries(TreeBuilder):
    """Takes what the parser finds and keeps one response at a time; the target of a DefusedXMLParser."""

    def __init__(self) -> None:
        super().__init__()
        self.ready: list[Element] = []
        self.events = 0
        self._depth = self._elements = self._text = self._entries = 0
        self._inner: TreeBuilder | None = None

    def start(self, tag: str, attributes: dict[Any, Any]) -> None:  # type: ignore[override]
        """An element begins."""
        self.events += 1
        self._depth += 1
        if self._depth == 1 and tag != f"{DAV}multistatus":
            raise Unreachable("The server answers something else than a listing. Check its address.")
        if self._depth == 2 and tag == f"{DAV}response":
            self._begin()
        self._elements += 1
        self._text += len(tag) + sum(len(name) + len(value) for name, value in attributes.items())
        if self._depth > MOST_DEPTH or self._elements > MOST_ELEMENTS or self._text > MOST_TEXT:
            raise Hostile("The server's listing has an entry that is too large or too deep. Ask who runs the server.")
        if self._inner:
            self._inner.start(tag, {})

    def data(self, data: str) -> None:
        """Text comes."""
        self.events += 1
        self._text += len(data)
        if self._text > MOST_TEXT:
            raise Hostile("The server's listing has a text that is too long. Ask who runs the server.")
        if self._inner:
            self._inner.data(data)

    def end(self, tag: str) -> None:  # type: ignore[override]
        """An element ends; a response that ends is ready."""
        self.events += 1
        if self._inner:
            self._inner.end(tag)
            if self._depth == 2:
                self.ready.append(self._inner.close())
                self._inner = None
                self._elements = self._text = 0
        self._depth -= 1

    def close(self) -> None:  # type: ignore[override]
        """The document ends."""

    def _begin(self) -> None:
        self._entries += 1
        self._elements = self._text = 0
        self._inner = TreeBuilder()
        if self._entries > MOST_ENTRIES + 1:  # the folder itself is one
            raise Hostile(f"The folder has over {MOST_ENTRIES} entries. Divide it into several.")


def entries(chunks: Iterable[bytes]) -> Iterator[Entry]:
    """The responses of a multistatus as they come; raises Hostile, and Unreachable for what is no such document."""
    target = Entries()
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    silent, events = 0, 0
    try:
        for piece in pieces(chunks):
            parser.feed(piece)
            silent = silent + len(piece) if target.events == events else 0
            events = target.events
            if silent > MOST_SILENT:
                raise Hostile("The server's listing never comes to its point. Ask who runs the server.")
            yield from map(entry, target.ready)
            target.ready.clear()
        parser.close()
    except ParseError as error:
        raise Unreachable("The server's listing is broken. Try again later.", passing=True) from error
    except DefusedXmlException as error:
        raise Hostile(
            "The server's listing has a DOCTYPE or entities, as no Nextcloud has. Ask who runs it."
        ) from error
    except (ValueError, LookupError) as error:  # an encoding that nobody knows
        raise Unreachable("The server's listing cannot be read. Ask who runs the server.") from error
    yield from map(entry, target.ready)


def pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Bytes in pieces that are small enough for the parser; raises Hostile when there are too many."""
    came = 0
    for chunk in chunks:
        came += len(chunk)
        if came > MOST_BYTES:
            raise Hostile("The server's listing is too long to be meant. Ask who runs the server.")
        for start in range(0, len(chunk), PIECE):
            yield chunk[start : start + PIECE]


def entry(response: Element) -> Entry:
    """A response with the properties that the server has, those that it has not left out."""
    found = Element("found")
    for propstat in response.findall(f"{DAV}propstat"):
        if (propstat.findtext(f"{DAV}status") or "").split(" ")[1:2] == ["200"]:
            found.extend(propstat.findall(f"{DAV}prop"))
    return Entry((response.findtext(f"{DAV}href") or "").strip(), found)
