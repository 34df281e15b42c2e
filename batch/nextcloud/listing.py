"""PROPFIND: what is asked of a server about a folder, and its answer, read as a stream that may be hostile.

Of webdav4 the reading of DAV properties is used (`DAVProperties`), one propstat at a time. What it takes for granted is
made sure of first: that numbers and dates are such, that hrefs lead nowhere else (names.py), that a document is no
bomb (multistatus.py). Nothing is sent from here.
"""

import re
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

import httpx
import msgspec
from webdav4.multistatus import DAVProperties

from batch.nextcloud.faults import Hostile
from batch.nextcloud.multistatus import DAV, Entry
from batch.nextcloud.names import remote_path
from batch.nextcloud.patience import seconds

OC, NC = "{http://owncloud.org/ns}", "{http://nextcloud.org/ns}"

NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
DATE = re.compile(r"[A-Za-z]{3}, [0-9]{2} [A-Za-z]{3} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT", re.ASCII)
ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{1,200}"')
CHECKSUMS = re.compile(
    r"[A-Za-z0-9-]{1,20}:[0-9A-Fa-f]{1,128}(?: [A-Za-z0-9-]{1,20}:[0-9A-Fa-f]{1,128}){0,9}", re.ASCII
)
FILE_ID = re.compile(r"[!-~]{1,64}", re.ASCII)
LONGEST_HREF = 500  # characters that are told of one that is refused

Refusals = Callable[[str, str], None]  # told an href that is left out, and the reason

FOLDER = b"""<?xml version="1.0" encoding="utf-8"?>
<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns"><d:prop>
<d:resourcetype/><d:getetag/><d:getcontentlength/><d:getlastmodified/><oc:fileid/><oc:size/><oc:checksums/>
<nc:contained-file-count/><nc:contained-folder-count/></d:prop></d:propfind>"""


class Item(msgspec.Struct, frozen=True):
    """A file or folder as the server tells of it."""

    path: str  # below the user's files, "/" between parts, decoded once; "" is the root. The server's, not a local path
    is_folder: bool
    file_id: str = ""  # oc:fileid; "" when the server has none
    etag: str = ""  # as given, with quotes; "" when none
    size: int = -1  # bytes, of a folder with all that is in it; -1 when not told
    mtime: float = 0.0  # seconds since the epoch, UTC; 0 when not told
    checksum: str = ""  # "SHA1:..." as oc:checksums gives it, several with spaces between; "" when none
    count: int = -1  # entries of a folder, where the server tells; else -1


def item(one: Entry, path: str) -> Item:
    """An entry as an Item; raises ValueError with the reason for which it is refused."""
    found = one.found
    if not len(found):
        raise ValueError("the server tells nothing of it")
    length = text(found, f"{DAV}getcontentlength")
    if length and not NUMBER.fullmatch(length):
        raise ValueError("its length is no number of bytes")
    drop(found, f"{DAV}getlastmodified", is_date)
    drop(found, f"{DAV}creationdate", is_date)
    drop(found, f"{DAV}getetag", ETAG.fullmatch)
    read = DAVProperties(found)
    is_folder = bool(read.collection)
    size = number(found, f"{OC}size") if is_folder else read.content_length
    return Item(
        path,
        is_folder,
        matching(found, f"{OC}fileid", FILE_ID),
        read.etag or "",
        -1 if size is None else size,
        read.modified.timestamp() if read.modified else 0.0,
        matching(found, f"{OC}checksums/{OC}checksum", CHECKSUMS),
        contained(found) if is_folder else -1,
    )


def contained(found: Element) -> int:
    """How many entries a folder has, where the server tells of files and folders; else -1."""
    files, folders = (number(found, f"{NC}contained-{kind}-count") for kind in ("file", "folder"))
    return -1 if files is None or folders is None else files + folders


def text(found: Element, name: str) -> str:
    """What a property says, "" when there is none."""
    return (found.findtext(f".//{name}") or "").strip()


def number(found: Element, name: str) -> int | None:
    """A property that is a number, none when it is no such."""
    told = text(found, name)
    return int(told) if NUMBER.fullmatch(told) else None


def matching(found: Element, name: str, pattern: re.Pattern[str]) -> str:
    """A property that looks as it should, else ""."""
    told = text(found, name)
    return told if pattern.fullmatch(told) else ""


def drop(found: Element, name: str, fits: Callable[[str], object]) -> None:
    """Take the text out of properties that do not look as they should, before webdav4 reads them."""
    for one in found.iter(name):
        if not fits((one.text or "").strip()):
            one.text = None


def is_date(told: str) -> bool:
    """Whether a text is a date as HTTP has it, and one that there is."""
    return bool(DATE.fullmatch(told)) and seconds(told) is not None


def items(entries: Iterator[Entry], path: str, base: httpx.URL, refused: Refusals) -> Iterator[Item]:
    """The entries of a folder at a URL as items; those that cannot be meant are refused with a reason."""
    folder = base.raw_path.decode("ascii").partition("?")[0]
    for entry in entries:
        try:
            below = remote_path(without_origin(entry.href, base), folder)
            if "/" in below:
                raise ValueError("it lies deeper than in the folder that was asked for")
            yield item(entry, "/".join(filter(None, (path, below))))
        except ValueError as reason:
            refused(entry.href[:LONGEST_HREF], str(reason))


def without_origin(href: str, base: httpx.URL) -> str:
    """An href without scheme and host where they are the server's own."""
    own = f"{base.scheme}://{base.netloc.decode('ascii')}/"
    return href[len(own) - 1 :] if href.lower().startswith(own) else href


def self_first(found: Iterator[Item], path: str, host: str) -> Iterator[Item]:
    """Items with the one of the folder itself first; raises Hostile when it is missing."""
    waiting: list[Item] = []
    for one in found:
        if one.path == path:
            yield one
            yield from waiting
            yield from found
            return
        waiting.append(one)
    raise Hostile(f"{host} lists something else than the folder that was asked for. Ask who runs it.")
