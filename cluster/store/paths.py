"""How paths are named: ids for the store, text for people. Imports no database: a worker that decodes stays light."""

import hashlib


def file_id(source: str, path: bytes) -> str:
    """The id of a path in a source; `path` is relative to it, as raw bytes."""
    return hashlib.sha256(source.encode(errors="surrogateescape") + b"\0" + path).hexdigest()[:32]


def dir_id(source: str, folder: bytes) -> str:
    """The id of a folder in a source; `folder` is relative to it, as raw bytes, empty for the source itself."""
    return file_id(source, folder)


def display(name: bytes) -> str:
    """A path for people: what is not UTF-8, and what controls a terminal, is shown as `\\xNN`."""
    text = name.decode(errors="backslashreplace")
    return "".join(f"\\x{ord(sign):02x}" if ord(sign) < 32 or ord(sign) == 127 else sign for sign in text)
