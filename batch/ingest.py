"""A group of files becomes a photo: hash, decode once in the killable child, derive pictures, read metadata, place.

Originals are opened for reading only, by the child. What becomes a row in which table is `sink.py`'s to say.
"""

import os
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from batch.stages import with_column
from batch.variants import SIDECAR, main_first, sidecar_of
from cluster.errors import PhotoError
from cluster.settings import MediaSettings
from cluster.store.paths import display
from serve_apps.media.box import Decoder
from serve_apps.media.protocol import Decoded
from serve_apps.spares import Spares

GEOCODER = "reverse-geocode-1.6.6"  # the ledger's revision of stage `place`
PLACE_COLUMNS = ("place", "county", "state", "country", "country_code")


class FileSeen(msgspec.Struct, frozen=True):
    """A file of a group: as the walk listed it, and what the store knew of it."""

    path: bytes
    kind: str
    size: int  # bytes
    mtime_ns: int
    changed: bool  # new, or other than the store remembers
    content_id: str = ""  # as the store remembers it
    photo_id: str = ""
    tries: int = 0  # that failed so far
    force: bool = False  # somebody asked for this file


class Group(msgspec.Struct, frozen=True):
    """The files of one photo: same folder, same name before the extension."""

    files: list[FileSeen]
    force: bool = False  # make everything anew, though the content may be the same


class FileRead(msgspec.Struct, frozen=True):
    """What became of a file: its content, or why it could not be read."""

    seen: FileSeen
    content_id: str = ""
    error: str = ""


class Ingested(msgspec.Struct, frozen=True):
    """What became of a group: every file, and the main one decoded. None when no file of it is a picture."""

    files: list[FileRead]
    main: bytes = b""  # path of the main file
    decoded: Decoded | None = None
    live_id: str = ""  # content identifier of a Live Photo's video
    force: bool = False  # what was computed from the photo is to be computed again


GROUP = msgspec.msgpack.Decoder(Group)
INGESTED = msgspec.msgpack.Decoder(Ingested)
PACK = msgspec.msgpack.Encoder()


class Ingest:
    """Decode each group's main file and hash the others: columns ingested, latitude, longitude."""

    def __init__(self, media: str, root: bytes, derived: str) -> None:
        """`media` are the settings of that name as JSON."""
        self.root = root
        limits, folder = MediaSettings.model_validate_json(media), Path(derived)
        self.decoders = Spares(lambda: Decoder(limits, folder))

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The batch with what was read of each group."""
        with self.decoders.lent() as decoder:
            reader = Reader(self.root, decoder)
            read = [reader.read(GROUP.decode(group)) for group in batch["group"].to_pylist()]
        batch = with_column(batch, "ingested", [PACK.encode(one) for one in read], pa.binary())
        facts = [one.decoded.metadata if one.decoded else None for one in read]
        for name in ("latitude", "longitude"):
            batch = with_column(batch, name, [getattr(fact, name) if fact else None for fact in facts], pa.float64())
        return batch

    def close(self) -> None:
        """End the decoders."""
        for decoder in self.decoders.taken():
            decoder.close()


class Reader:
    """Reads groups of files with one decoder."""

    def __init__(self, root: bytes, decoder: Decoder) -> None:
        self.root, self.decoder = root, decoder

    def read(self, group: Group) -> Ingested:
        """A group's files read: the best one that decodes is the main one."""
        reads: dict[bytes, FileRead] = {}
        main, decoded, live_id = b"", None, ""
        for file in main_first(group.files):
            if file.kind != SIDECAR and decoded is None:
                reads[file.path], decoded = self.decode(file, group)
                main = file.path if decoded else b""
            else:
                reads[file.path], found = self.identify(file)
                live_id = live_id or found
        return Ingested([reads[file.path] for file in group.files], main, decoded, live_id, group.force)

    def decode(self, file: FileSeen, group: Group) -> tuple[FileRead, Decoded | None]:
        """A picture or video decoded, its derived pictures written; or the reason why not."""
        sidecar = sidecar_of(file.path, group.files)
        try:
            decoded = self.decoder.decode(
                os.path.join(self.root, file.path),
                os.path.join(self.root, sidecar) if sidecar else None,
                display(file.path),
                group.force,
            )
        except PhotoError as error:
            return FileRead(file, error=str(error)), None
        return FileRead(file, decoded.content_id), decoded

    def identify(self, file: FileSeen) -> tuple[FileRead, str]:
        """A variant or sidecar hashed, and a video's content identifier; a known, unchanged one is not opened."""
        if not file.changed and file.content_id:
            return FileRead(file, file.content_id), ""
        try:
            identity = self.decoder.identify(os.path.join(self.root, file.path))
        except PhotoError as error:
            return FileRead(file, error=str(error)), ""
        return FileRead(file, identity.content_id), identity.metadata.live_id if identity.metadata else ""


class Geocode:
    """The nearest known place of each photo with coordinates, offline: columns place to country_code.

    The table of places is GeoNames', as the package reverse-geocode carries it.
    """

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The batch with places; empty strings where there are no coordinates."""
        pairs = list(zip(batch["latitude"].to_pylist(), batch["longitude"].to_pylist(), strict=True))
        located = [pair for pair in pairs if None not in pair]
        found = iter(named(located) if located else [])
        places = [place_of(next(found)) if None not in pair else NOWHERE for pair in pairs]
        for name in PLACE_COLUMNS:
            batch = with_column(batch, name, [place[name] for place in places], pa.string())
        return batch


def named(located: list[tuple[float, float]]) -> list[dict[str, Any]]:
    """The nearest places of some coordinates."""
    import reverse_geocode  # with scipy, and a table of 155,000 places: a second, for those who need it

    found: list[dict[str, Any]] = reverse_geocode.search(located)
    return found


NOWHERE = dict.fromkeys(PLACE_COLUMNS, "")


def place_of(found: dict[str, str]) -> dict[str, str]:
    """A place in our columns' names."""
    return {
        "place": found.get("city", ""),
        "county": found.get("county", ""),
        "state": found.get("state", ""),
        "country": found.get("country", ""),
        "country_code": found.get("country_code", ""),
    }
