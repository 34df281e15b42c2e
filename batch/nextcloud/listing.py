"""PROPFIND: what is asked of a server about a folder, and its answer, read as a stream."""

import msgspec


class Item(msgspec.Struct, frozen=True):
    """A file or folder as the server tells of it."""

    path: (
        str  # below the user's files, "/" between parts, decoded once; "" is the root. The server's text, no local path
    )
    is_folder: bool
    file_id: str = ""  # oc:fileid; "" when the server has none
    etag: str = ""  # as given, with quotes; "" when none
    size: int = -1  # bytes; -1 when not told
    mtime: float = 0.0  # seconds since the epoch, UTC; 0 when not told
    checksum: str = ""  # "SHA1:..." as oc:checksums gives it, several with spaces between; "" when none
    count: int = -1  # entries of a folder, where the server tells; else -1
