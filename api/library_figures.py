"""Figures of libraries, summed over all users: nobody's name and nobody's share is among them."""

from collections.abc import Callable, Iterator

from lancedb.expr import col, lit
from prometheus_client.metrics_core import Metric

from api.families import gauge
from api.storage import Storages
from cluster.machine import disk
from cluster.settings import Settings
from cluster.store.census import Census, census_of
from cluster.store.database import Library, System
from cluster.store.events import shown
from cluster.store.storage import Storage, begun

STANDINGS = ("labeled", "inferred", "unknown")
KINDS = ("originals", "derived", "database")


class LibraryFigures:
    """Reads narrow columns of every library; to be asked now and then, not all the time."""

    def __init__(
        self, settings: Settings, system: System, library: Callable[[str], Library], storages: Storages
    ) -> None:
        self._settings, self._system, self._library, self._storages = settings, system, library, storages

    def families(self) -> Iterator[Metric]:
        """What there is in all libraries together, and the disk it is on; blocks."""
        users = [user.user_id for user in self._system.users.list()]
        stored = [self._storages.of(user_id) for user_id in users]
        libraries = [self._library(user_id) for user_id in users if begun(self._settings, user_id)]
        counted = [census_of(library) for library in libraries]
        for name, sentence, number in (
            ("users", "People who may log in.", len(users)),
            ("photos", "Photos and videos in all libraries, without those that are missing.", photos(stored)),
            ("videos", "Videos in all libraries, without those that are missing.", sum(one.videos for one in stored)),
            ("photos_missing", "Photos and videos whose files are gone.", missing(libraries)),
            ("people", "People with a name and a face in all libraries.", sum(one.people for one in counted)),
            ("events", "Events in all libraries that nobody deleted.", events(libraries)),
            ("files_failed", "Files that could not be read.", failed(libraries)),
        ):
            yield gauge(f"brightroom_library_{name}", sentence, [], [([], number)])
        yield known(counted)
        yield taken(stored)
        yield from self._disk()

    def _disk(self) -> Iterator[Metric]:
        """The disk that databases and derived pictures are on; nothing where they are on none of ours."""
        if found := disk(self._settings.root):
            sentence = "Size of the disk that databases and derived pictures are on."
            yield gauge("brightroom_disk_size_bytes", sentence, [], [([], found.total)])
            sentence = "What is free of the disk that databases and derived pictures are on."
            yield gauge("brightroom_disk_free_bytes", sentence, [], [([], found.free)])


def known(counted: list[Census]) -> Metric:
    """How many faces there are, by how it is known whose they are."""
    sentence = "Faces in the photos of all libraries, by how it is known whose they are."
    sums = [([name], sum(getattr(one, name) for one in counted)) for name in STANDINGS]
    return gauge("brightroom_library_faces", sentence, ["standing"], sums)


def events(libraries: list[Library]) -> int:
    """How many events there are that people see."""
    return sum(library.events.count(shown()) for library in libraries)


def photos(stored: list[Storage]) -> int:
    """How many photos and videos there are."""
    return sum(one.photos for one in stored)


def missing(libraries: list[Library]) -> int:
    """How many photos are missing."""
    return sum(library.photos.count(col("missing")) for library in libraries)


def failed(libraries: list[Library]) -> int:
    """How many files could not be read."""
    return sum(library.files.count(col("state") == lit("failed")) for library in libraries)


def taken(stored: list[Storage]) -> Metric:
    """Bytes by what they are of; a database that is in an object store is left out."""
    sums = [(kind, [size for one in stored if (size := getattr(one, kind)) is not None]) for kind in KINDS]
    sentence = "What all libraries take of the disk, by what it is: originals, derived pictures, databases."
    return gauge(
        "brightroom_library_bytes", sentence, ["kind"], [([kind], sum(sizes)) for kind, sizes in sums if sizes]
    )
