"""From hrefs to paths on the server, and from those to safe names on disk. Text only: nothing is opened here.

A path on the server is text as the server has it, "/" between parts, "" for the root. A local name is bytes below a
folder of ours. Which photo a name belongs to is not decided here.
"""

import hashlib
import re
import unicodedata
from collections.abc import Container
from urllib.parse import quote, unquote_to_bytes

LONGEST_PART = 240  # bytes of a local name; file systems take 255, and sidecars are named after photos
LONGEST_PATH = 2000  # bytes of a local path; the kernel takes 4096 with what stands before it
HASHED = 32  # hexadecimal digits: nobody makes two names with the same 128 bits

SUFFIX = re.compile(r"(?<=.)(?:\.[A-Za-z0-9]{1,10}){1,2}\Z", re.DOTALL)  # also of sidecars: .jpg.xmp
AWKWARD = frozenset('<>:"|?*\\~')  # markup, what other systems refuse in names, and our own sign
FARAWAY = b"~far"


def remote_path(href: str, base: str) -> str:
    """The path below a folder that an href points to, decoded once; "" for the folder itself.

    `base` is the folder's own path as it stands in URLs, escaped. Raises ValueError with the reason it is refused for.
    """
    parts, above = decoded(href), decoded(base)
    if parts[: len(above)] != above:
        raise ValueError("it lies outside the folder that was asked for")
    return "/".join(parts[len(above) :])


def decoded(path: str) -> list[str]:
    """The parts of a path of a URL, each decoded once; raises ValueError for those that no file can have."""
    if not path.startswith("/") or "?" in path or "#" in path:
        raise ValueError("it is no path from the server's root")
    inner = path[1:].removesuffix("/")
    return [decoded_part(part) for part in inner.split("/")] if inner else []


def decoded_part(part: str) -> str:
    """One part of a path of a URL, decoded once; raises ValueError for one that no file can have."""
    try:
        name = unquote_to_bytes(part).decode("utf8")
    except UnicodeDecodeError:
        raise ValueError("its name is not UTF-8") from None
    if name in ("", ".", ".."):
        raise ValueError("its path leads out of the folder or has an empty part")
    if "/" in name or "\0" in name:
        raise ValueError("its name holds a slash or a NUL")
    return name


def escaped(path: str) -> str:
    """A path on the server as it stands in a URL, without a slash before or after it.

    Raises ValueError for one that would lead elsewhere, or that no file can have.
    """
    return "/".join(map(escaped_part, path.split("/"))) if path else ""


def escaped_part(name: str) -> str:
    """One part of a path as it stands in a URL; raises ValueError for one that no file can have."""
    if name in ("", ".", "..") or "\0" in name:
        raise ValueError("a path has no empty parts, no dots alone and no NUL")
    return quote(name, safe="")


def local_name(path: str, taken: Container[bytes] = ()) -> bytes:
    """A safe relative path of bytes for a path on the server; two paths never get the same one.

    `taken` holds the `folded` names that others have in the same folder; one that would be a twin gets another name.
    The root has the empty name.
    """
    if not path:
        return b""
    *folders, name = path.split("/")
    parts = [*map(local_part, folders), local_part(name, taken)]
    whole = b"/".join(parts)
    if len(whole) <= LONGEST_PATH:
        return whole
    return b"/".join((FARAWAY, digest("/".join(folders)).encode(), parts[-1]))


def local_part(name: str, taken: Container[bytes] = ()) -> bytes:
    """A safe name for one part of a path: as it is where that is harmless and not taken, else with a hash in it.

    What looks like a suffix stays, and the hash is of what stands before it: pairs of files stay pairs.
    """
    plain = name.encode("utf8", "surrogatepass")
    if harmless(name) and folded(plain) not in taken:
        return plain
    suffix = found[0] if (found := SUFFIX.search(name)) else ""
    stem = name.removesuffix(suffix)
    escaped_name = marked(stem, digest(stem), suffix)
    return escaped_name if folded(escaped_name) not in taken else marked(stem, digest(f"twin/{name}"), suffix)


def marked(stem: str, mark: str, suffix: str) -> bytes:
    """A name of what is harmless in a stem, a hash and a suffix; its folded form is another for every other hash."""
    legible = "".join(sign if sign.isprintable() and sign not in AWKWARD | {"/"} else "_" for sign in stem)
    legible = unicodedata.normalize("NFC", legible)
    room = LONGEST_PART - HASHED - 1 - len(suffix)
    kept = legible.strip(" .").encode("utf8", "replace")[:room].decode("utf8", "ignore")
    return f"{kept}~{mark}{suffix}".encode()


def harmless(name: str) -> bool:
    """Whether a name can stand on disk as it is: printable, composed, short, not hidden, and none of our own."""
    return (
        name.isprintable()
        and not AWKWARD.intersection(name)
        and name == unicodedata.normalize("NFC", name)
        and name == name.strip(" .")
        and 0 < len(name.encode("utf8", "replace")) <= LONGEST_PART
    )


def folded(part: bytes) -> bytes:
    """What two names have in common that some file systems take for one: letter case and Unicode composition."""
    text = unicodedata.normalize("NFD", part.decode("utf8", "replace"))
    return unicodedata.normalize("NFD", text.casefold()).encode()


def digest(text: str) -> str:
    """The hash of a text as it stands in names."""
    return hashlib.sha256(text.encode("utf8", "surrogatepass")).hexdigest()[:HASHED]
