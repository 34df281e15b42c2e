"""The system database, and one library database for each owner, so that no filter can leak a library into another."""

import re
from collections.abc import Sequence
from datetime import timedelta

import pyarrow as pa
from lancedb.expr import Expr, col, lit

from cluster.errors import NewerSchema, StoreError
from cluster.settings import Settings
from cluster.store.acts import Acts
from cluster.store.attempts import Attempts
from cluster.store.choices import Choices
from cluster.store.clock import Clock, utc_now
from cluster.store.connection import Connection, Tidying
from cluster.store.events import Events
from cluster.store.faces import Faces
from cluster.store.facts import Facts
from cluster.store.failures import Failures
from cluster.store.files import Files
from cluster.store.jobs import Jobs
from cluster.store.leases import Leases
from cluster.store.people import People
from cluster.store.photos import Photos
from cluster.store.remotes import Remotes
from cluster.store.schema import SCHEMA_VERSION, key, rows_of, texts
from cluster.store.services import Services
from cluster.store.sessions import Sessions
from cluster.store.sources import Sources
from cluster.store.table import Table
from cluster.store.trash import Trash
from cluster.store.users import Users
from cluster.store.vectors import ANN_ROWS, Embeddings, Hit, Models

USER_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")  # it becomes a folder's name
SYSTEM_KEEP = timedelta(minutes=1)  # heartbeats make many versions, and no read of these tables takes long
SORTED = {
    "photos": ("photo_id", "content_id", "taken_at"),
    "files": ("file_id", "dir_id", "photo_id", "content_id"),
    "faces": ("photo_id", "person_id"),
    "facts": ("photo_id",),
}
CONFIDENCE = 0.9  # from which on a guess at whose a face is counts
META = pa.schema([key("key"), *texts("value")])


def checked(meta: Table) -> Table:
    """A database's table of facts about itself, with its schema version noted; raises NewerSchema."""
    row = meta.get("schema_version")
    if row is None:
        meta.insert_new(rows_of([{"key": "schema_version", "value": str(SCHEMA_VERSION)}], META))
        row = meta.get("schema_version")
    version = int(row["value"]) if row else SCHEMA_VERSION
    if version < SCHEMA_VERSION:  # tables get their new columns when they are opened
        meta.change(col("key") == lit("schema_version"), {"value": str(SCHEMA_VERSION)})
    if version > SCHEMA_VERSION:
        raise NewerSchema(
            f"{meta.database.uri} was written by a newer Brightroom (data version {version}, this one knows "
            f"{SCHEMA_VERSION}); update Brightroom, or restore a backup from before the update."
        )
    return meta


class System:
    """Users, sessions, jobs, leases, services and their models, failed logins, users' Nextclouds."""

    def __init__(self, database: Connection, session_lifetime: timedelta, login_attempts: int, clock: Clock) -> None:
        self.database, self.clock = database, clock
        self.meta = checked(Table(database, "meta", META, "key"))
        self.users = Users(database, clock)
        self.sessions = Sessions(database, session_lifetime, clock)
        self.jobs = Jobs(database, clock)
        self.leases = Leases(database, clock)
        self.services = Services(database, clock)
        self.choices = Choices(database, clock)
        self.attempts = Attempts(database, login_attempts, clock)
        self.sources = Sources(database, clock)

    def tidy(self) -> None:
        """Forget sessions that have ended, failed logins of long ago, and what killed commands left of passwords."""
        self.sessions.forget_ended()
        self.attempts.forget_old()
        self.sources.tidy()


class Library:
    """All data of one owner."""

    def __init__(self, database: Connection) -> None:
        self.database = database
        self.meta = checked(Table(database, "meta", META, "key"))
        self.files = Files(database)
        self.photos = Photos(database)
        self.faces = Faces(database)
        self.facts = Facts(database)
        self.people = People(database)
        self.acts = Acts(database)
        self.events = Events(database)
        self.trash = Trash(database)
        self.remotes = Remotes(database)
        self.errors = Failures(database)
        self.registry = Models(database)

    @property
    def confidence(self) -> float:
        """How sure training must be of whose a face is to say so, 0 to 1; its owner's to choose."""
        row = self.meta.get("confidence")
        return float(row["value"]) if row else CONFIDENCE

    def set_confidence(self, confidence: float) -> None:
        """Note what the owner chose; the next training acts on it."""
        self.meta.upsert(rows_of([{"key": "confidence", "value": f"{confidence:.4f}"}], META))

    def models(self) -> list[str]:
        """The models the library has vectors of, oldest first."""
        return self.registry.names()

    def embeddings(self, model: str, width: int) -> Embeddings:
        """The vectors of a model, in a table of their own, made when the model is new.

        Raises StoreError when the model has vectors of another width.
        """
        return self.registry.embeddings(model, width)

    def table(self, name: str) -> Table:
        """A table by its name, `embeddings_...` too; raises KeyError."""
        named: list[Table] = [self.files, self.photos, self.faces, self.facts, self.people, self.events, self.trash]
        tables = {table.name: table for table in [*named, self.acts, self.errors, self.remotes]}
        return tables[name] if name in tables else self.registry.of_table(name)

    def nearest(self, model: str, vector: Sequence[float], limit: int, where: Expr | None = None) -> list[Hit]:
        """What is most similar to a vector of unit length, best first: (id, photo_id, cosine similarity).

        Nothing when the library has no vectors of the model. `where` filters on `id` and `photo_id`.
        """
        vectors = self.registry.find(model)
        return vectors.nearest(vector, limit, where) if vectors else []

    def text_search(self, text: str, limit: int, where: Expr | None = None) -> list[tuple[str, float]]:
        """The photos whose search text fits best, best first: (photo_id, BM25 score). `where` filters on photos."""
        return self.photos.matching(text, limit, where)

    def build_indexes(self, ann_rows: int = ANN_ROWS) -> None:
        """Make the indexes that are missing or have been outgrown; vectors get one from `ann_rows` rows on."""
        for table, columns in SORTED.items():
            for column in columns:
                self.table(table).build_index(column)
        for model in self.models():
            self.registry.build_index(model, ann_rows)


def open_system(settings: Settings, clock: Clock = utc_now) -> System:
    """The system database, created when absent; raises NewerSchema."""
    # What is decided here - a revoked session, a paused job - counts at once, so every read looks for new commits.
    tidying = Tidying(settings.store.optimize_every * 5, SYSTEM_KEEP)
    database = Connection(f"{settings.store_uri}/system.lance-db", 0, tidying)
    lifetime = timedelta(days=settings.api.session_days)
    return System(database, lifetime, settings.api.login_attempts, clock)


def open_library(settings: Settings, user_id: str) -> Library:
    """An owner's library, created when absent; raises NewerSchema, and StoreError for what is no user id."""
    if not USER_ID.fullmatch(user_id):
        raise StoreError(f"{user_id!r} is no user id; open a library by the id that `Users` gives.")
    return Library(Connection(f"{settings.store_uri}/libraries/{user_id}", settings.store.fresh_s))
