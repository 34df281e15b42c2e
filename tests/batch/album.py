"""A library of photos without files: when and where they were taken and who is in them, to make events of."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from batch.events import generate
from batch.sink import Commits
from cluster.settings import Settings, StoreSettings
from cluster.store.database import Library, open_library
from cluster.store.people import key_of
from cluster.store.schema import changes_of, rows_of
from cluster.store.writer import Delete, Update, Upsert, Write, Writer

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2024, 6, 1, tzinfo=UTC)


class OneByOne:
    """A writer whose process dies before its n-th commit, also between two of one table."""

    def __init__(self, writer: Writer, dies_before: int) -> None:
        self.writer, self.left = writer, dies_before

    def commit(self, writes: Sequence[Write]) -> None:
        """Commit write by write, as far as life lasts."""
        for write in writes:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            self.writer.commit([write])


class Album:
    """Photos at hours after a Monday's midnight in 2024, by short names that are their ids."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings(root=root, store=StoreSettings(fresh_s=0))
        self.library: Library = open_library(self.settings, "somebody")
        self.writer = Writer(self.library, self.settings.store)

    def add(self, photos: dict[str, float], **columns: Any) -> None:
        """Photos by name: hours after the Monday; all with the same other columns."""
        usual = {"taken_source": "exif", "media_rev": "media-1", "added_at": NOW, "changed_at": NOW, **columns}
        rows = [{**usual, "photo_id": name, "taken_at": at(hours)} for name, hours in photos.items()]
        table = self.library.photos
        self.writer.commit([Upsert("photos", table.completed(rows_of(rows, table.schema)))])

    def change(self, name: str, **columns: Any) -> None:
        """Other columns for a photo that is there."""
        self.writer.commit([Update("photos", changes_of([{"photo_id": name, **columns}], self.library.photos.schema))])

    def remove(self, *names: str) -> None:
        """Photos taken out of the library."""
        self.writer.commit([Delete("photos", "photo_id", names)])

    def say(self, event_id: str, **facts: Any) -> None:
        """What somebody says of an event: own_title, cover_photo_id, deleted."""
        change = changes_of([{"event_id": event_id, **facts}], self.library.events.schema)
        self.writer.commit([Update("events", change)])

    def person(self, name: str, *photos: str, standing: str = "labeled", **columns: Any) -> str:
        """Somebody's face in some photos; returns the person's id."""
        person = {"person_id": f"id of {name}", "name": name, "name_key": key_of(name), "kind": "person"}
        faces = [
            {"face_id": f"{name}-{place}", "photo_id": photo, "person_id": person["person_id"], "standing": standing}
            for place, photo in enumerate(photos)
        ]
        times = {"created_at": NOW, "changed_at": NOW}
        people = rows_of([{**person, **times, **columns}], self.library.people.schema)
        self.writer.commit([Upsert("people", people), Upsert("faces", rows_of(faces, self.library.faces.schema))])
        return person["person_id"]

    def generate(self, photo_ids: Sequence[str] | None = None, writer: Commits | None = None) -> dict[str, int]:
        """Events brought up to date; what was counted."""
        return generate(self.library, writer or self.writer, NOW, photo_ids)

    def shown(self) -> dict[str, str]:
        """The events that are shown, by their photos' names in order, with their ids."""
        ids = [row["event_id"] for row in self.library.events.page(1000)]
        inside = self.inside()
        return {" ".join(inside.get(event_id, ())): event_id for event_id in ids}

    def titles(self) -> dict[str, str]:
        """The titles of the events that are shown, by their photos' names; their own, where they have one."""
        rows = {row["event_id"]: row["own_title"] or row["title"] for row in self.library.events.page(1000)}
        return {photos: rows[event_id] for photos, event_id in self.shown().items()}

    def inside(self) -> dict[str, list[str]]:
        """The photos of each event, by time."""
        found: dict[str, list[str]] = {}
        for row in self.library.photos.rows(None, ["photo_id", "event_id"], order_by="taken_at").to_pylist():
            if row["event_id"]:
                found.setdefault(row["event_id"], []).append(row["photo_id"])
        return found

    def everything(self) -> dict[str, Any]:
        """All that a generation decides, comparable between libraries."""
        events = self.library.events.rows(order_by="event_id").drop_columns(["changed_at"]).to_pylist()
        return {"events": events, "photos": self.inside()}


def at(hours: float) -> datetime:
    """A moment so many hours after the Monday's midnight."""
    return MONDAY + timedelta(hours=hours)


def many(names: Iterable[str], start: float, every: float = 1) -> dict[str, float]:
    """Photos by name from an hour on, one every so many hours."""
    return {name: start + place * every for place, name in enumerate(names)}
