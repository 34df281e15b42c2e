"""A scan's first pass in this process: the real stages, sink, writer and decode child, without a cluster."""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import simplejpeg

from batch.due import renew
from batch.pipeline import Stage, Steps
from batch.progress import Progress
from batch.scan import Scan, analyse_stages
from batch.sink import Sink
from batch.sources import OwnFolder
from batch.work import note_remade, with_originals, work_table
from cluster.settings import SERVICES, ScanSettings, Settings, StoreSettings
from cluster.store.database import Library, open_library
from cluster.store.writer import Write, Writer

OWNER = "somebody"


class Killed(BaseException):
    """The writing process is gone."""


class Mortal:
    """A writer whose process dies before its n-th change of a table."""

    def __init__(self, library: Library, settings: StoreSettings, dies_before: int | None) -> None:
        self.writer = Writer(library, settings)
        self.left = dies_before

    def commit(self, writes: Sequence[Write]) -> None:
        """Commit table by table, as the writer orders them, as far as life lasts."""
        from cluster.store.writer import place

        for table in sorted({write.table for write in writes}, key=place):
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    raise Killed
            self.writer.commit([write for write in writes if write.table == table])


@dataclass
class Bench:
    """A folder of photos and its library."""

    root: Path
    scans: int = 0
    steps: dict[tuple[str, ...], Steps] = field(default_factory=dict)  # by the names of their stages

    @property
    def folder(self) -> Path:
        """Where the photos are."""
        return self.root / "photos"

    @property
    def source(self) -> OwnFolder:
        """The folder, to be scanned."""
        return OwnFolder(os.fsencode(self.folder))

    @property
    def settings(self) -> Settings:
        """Ours, whose readers see every commit."""
        return Settings(
            root=self.root / "data",
            store=StoreSettings(fresh_s=0),
            scan=ScanSettings(ingest_workers=1, analyse_workers=1, batch_size=2),
        )

    @property
    def library(self) -> Library:
        """The library, opened anew."""
        return open_library(self.settings, OWNER)

    def scan(self, dies_before: int | None = None, prepare: Callable[[Scan], object] | None = None) -> dict[str, Any]:
        """A first pass over everything; what it counted. Raises Killed when the writer dies."""
        self.scans += 1
        scan = self.made(dies_before)
        if prepare:
            prepare(scan)
        renew(scan.library, scan.source.name)
        scan.ingest(list(walked(scan)))
        scan.settle()
        return dict(scan.progress.told()["counts"])

    def named(self, *paths: str) -> dict[str, Any]:
        """A first pass over some files, asked for by name."""
        self.scans += 1
        scan = self.made(None)
        scan.paths(list(paths))
        return dict(scan.progress.told()["counts"])

    def made(self, dies_before: int | None) -> Scan:
        """A scan of this library."""
        library = self.library
        reporter: Any = SimpleNamespace(progress=Progress(), wanted="run")
        sink = Sink(library, Mortal(library, self.settings.store, dies_before), f"job{self.scans}")
        return Scan(self.settings, OWNER, library, sink, self.source, reporter, all_well, self.here)

    def previews(self) -> dict[str, tuple[int, str]]:
        """Read every preview as analysis does; by the photo's name how many bytes were made again, or why not read."""
        scan, library = self.made(None), self.library
        photos = library.photos.rows(None, ["photo_id", "name"]).to_pylist()
        work = with_originals(
            library, work_table(library.photos, [row["photo_id"] for row in photos], {}), scan.source.name
        )
        found: dict[str, tuple[int, str]] = {}
        for batch in self.here(work, analyse_stages(self.settings, scan.derived, set(), scan.root)[:1], 2):
            note_remade(scan.sink.writer, batch)
            found |= {row["name"]: (row["remade"], row["read_error"]) for row in batch.to_pylist()}
        return found

    def here(self, table: pa.Table, stages: Sequence[Stage], batch_size: int) -> Iterator[pa.Table]:
        """The rows after all stages, in this process."""
        names = tuple(stage.name for stage in stages)
        if names not in self.steps:
            self.steps[names] = Steps(stages)
        for start in range(0, len(table), batch_size):
            yield self.steps[names](table.slice(start, batch_size))

    def close(self) -> None:
        """End the decode child."""
        for steps in self.steps.values():
            for step in steps.steps:
                getattr(step, "close", int)()

    def photo(self, name: str, colour: int, times: int = 1) -> Path:
        """A picture of one colour, other bytes for each colour."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(colour) + b"\0" * times)
        return path

    def shown(self) -> dict[str, tuple[str, int, bool]]:
        """The photos by name: the content people see (two letters of it), how many files, whether missing."""
        rows = self.library.photos.rows().to_pylist()
        assert len({row["name"] for row in rows}) == len(rows), sorted(row["name"] for row in rows)
        return {row["name"]: (row["content_id"][:6], row["variants"], row["missing"]) for row in rows}

    def ids(self) -> dict[str, str]:
        """The photos' ids by name."""
        return {row["name"]: row["photo_id"] for row in self.library.photos.rows().to_pylist()}


def all_well() -> dict[str, str]:
    """Every service answers."""
    return dict.fromkeys(SERVICES, "healthy")


def walked(scan: Scan) -> Iterator[Any]:
    """The folders as the scan walks them."""
    from batch.discover import walk

    return walk(scan.root, scan.settings.scan.skip)


def jpeg(colour: int) -> bytes:
    """A small JPEG whose bytes and picture follow from a number."""
    pixels = np.full((24, 32, 3), (colour * 40 % 256, colour * 90 % 256, colour * 150 % 256), np.uint8)
    return bytes(io.BytesIO(simplejpeg.encode_jpeg(pixels, quality=90, colorspace="RGB")).getvalue())
