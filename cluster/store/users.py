"""Who may use Brightroom. Hashing passwords and deciding who may do what is the API's business."""

import hashlib
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

import msgspec
import pyarrow as pa
from lancedb.expr import col, lit

from cluster.errors import Conflict, Invalid, NotFound
from cluster.store.clock import Clock, utc_now
from cluster.store.connection import Connection
from cluster.store.schema import TIME, column, key, rows_of, texts
from cluster.store.table import Table

LONGEST_NAME = 64

SCHEMA = pa.schema(
    [
        key("user_id"),
        *texts("name", "name_key", "password_hash", "scan_directory"),
        column("admin", pa.bool_()),
        column("disabled", pa.bool_()),
        column("created_at", TIME),
    ]
)


class User(msgspec.Struct, frozen=True):
    """A person with a library of their own."""

    user_id: str
    name: str
    name_key: str  # what makes the name unique: without case
    password_hash: str
    scan_directory: str
    admin: bool
    disabled: bool
    created_at: datetime


Listing: TypeAlias = list[User]  # in a class with a method `list`, that word is taken


def key_of(name: str) -> str:
    """What two spellings of one user name have in common."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def id_of(name: str) -> str:
    """The id that a name leads to: derived, so that of two racing creators of a name the table lets one in."""
    return hashlib.sha256(b"user\0" + key_of(name).encode()).hexdigest()[:32]


def checked(name: str) -> str:
    """A user name as it is kept; raises Invalid for one that is empty, too long or has invisible characters."""
    kept = unicodedata.normalize("NFC", name).strip()
    if not kept or len(kept) > LONGEST_NAME or any(unicodedata.category(letter)[0] == "C" for letter in kept):
        raise Invalid(f"A user name has 1 to {LONGEST_NAME} characters, all of them visible; choose another.")
    return kept


class Users:
    """All users; a name is unique whatever its case. Nobody is deleted: an id never changes hands."""

    def __init__(self, database: Connection, clock: Clock = utc_now) -> None:
        self.table = Table(database, "users", SCHEMA, "user_id")
        self._clock = clock

    def create(self, name: str, password_hash: str, admin: bool = False, scan_directory: str = "") -> User:
        """A new user; raises Conflict when the name is taken and Invalid when it cannot be one."""
        kept = checked(name)
        user = User(id_of(kept), kept, key_of(kept), password_hash, scan_directory, admin, False, self._clock())
        if not self.table.insert_new(rows_of([msgspec.structs.asdict(user)], SCHEMA)):
            raise Conflict(f"There is a user named {kept} already; choose another name.")
        return user

    def by_name(self, name: str) -> User | None:
        """The user of a name in any case, or None."""
        try:
            return self._found(id_of(name))
        except UnicodeEncodeError:  # a lone surrogate, which no user name has
            return None

    def get(self, user_id: str) -> User:
        """A user; raises NotFound."""
        if user := self._found(user_id):
            return user
        raise NotFound("There is no such user.")

    def list(self) -> Listing:
        """All users, by name."""
        return [User(**row) for row in self.table.rows(order_by="name_key").to_pylist()]

    def set_password(self, user_id: str, password_hash: str) -> None:
        """Change a user's password hash; raises NotFound."""
        self._change(user_id, {"password_hash": password_hash})

    def set_scan_directory(self, user_id: str, scan_directory: str) -> None:
        """Change the folder a user's scans start from; raises NotFound."""
        self._change(user_id, {"scan_directory": scan_directory})

    def set_admin(self, user_id: str, admin: bool) -> None:
        """Give or take the rights of an administrator; raises NotFound."""
        self._change(user_id, {"admin": admin})

    def set_disabled(self, user_id: str, disabled: bool) -> None:
        """Lock a user out, or let them in again; raises NotFound."""
        self._change(user_id, {"disabled": disabled})

    def _found(self, user_id: str) -> User | None:
        row = self.table.get(user_id)
        return User(**row) if row else None

    def _change(self, user_id: str, values: Mapping[str, Any]) -> None:
        if not self.table.change(col("user_id") == lit(user_id), values):
            raise NotFound("There is no such user.")
