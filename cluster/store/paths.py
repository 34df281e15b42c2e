"""How paths are named: ids for the store, text for people. Imports no database: a worker that decodes stays light."""

import hashlib

COMMANDS = (*range(32), 127, *range(0x80, 0xA0))  # of terminals, in seven bits and in eight
TURNING = (0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))  # lines break or change direction
ESCAPED = {sign: f"\\x{sign:02x}" if sign < 0x80 else f"\\u{sign:04x}" for sign in (*COMMANDS, *TURNING)}


def file_id(source: str, path: bytes) -> str:
    """The id of a path in a source; `path` is relative to it, as raw bytes."""
    return hashlib.sha256(source.encode(errors="surrogateescape") + b"\0" + path).hexdigest()[:32]


def dir_id(source: str, folder: bytes) -> str:
    """The id of a folder in a source; `folder` is relative to it, as raw bytes, empty for the source itself."""
    return file_id(source, folder)


def display(name: bytes) -> str:
    """A path for people: what is not UTF-8, and what controls a terminal or turns a line round, is shown escaped.

    Bytes and ASCII are escaped as `\\xNN`, other characters as `\\uNNNN`.
    """
    return name.decode(errors="backslashreplace").translate(ESCAPED)
