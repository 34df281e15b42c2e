"""A whole API over a real store and a real server, with users, photos and clients for tests."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pyarrow as pa
from argon2 import PasswordHasher
from litestar import Litestar

from api.app import create_app
from api.deps import Deps
from api.http_server import HttpServer, serving
from api.passwords import Passwords
from batch.jobs import JobControl
from cluster.settings import ApiSettings, MediaSettings, Settings
from cluster.store.database import Library, System, open_library, open_system
from cluster.store.paths import file_id
from cluster.store.schema import rows_of
from cluster.store.users import User
from cluster.store.writer import Writer
from tests.api.standins import MODEL, WIDTH, Clock, PinBoard, TakingCluster, WordModels, two_nodes, vector_of

# The same examples every time, however busy the machine.
STEADY = hypothesis.settings(deadline=None, derandomize=True, max_examples=60)
PASSWORD = "correct horse battery"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
NOON = datetime(2024, 5, 17, 12, tzinfo=UTC)


@dataclass
class World:
    """Everything a test may touch."""

    root: Path
    settings: Settings
    clock: Clock
    system: System
    cluster: TakingCluster
    models: WordModels
    deps: Deps
    opened: dict[str, Library]
    board: PinBoard
    server: HttpServer | None = None
    app: Litestar | None = None
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    closing: ExitStack = field(default_factory=ExitStack)

    @property
    def http(self) -> HttpServer:
        """The server that answers."""
        assert self.server
        return self.server

    def library(self, name: str) -> Library:
        """A user's library."""
        return self.deps.library(self.users[name].user_id)

    def user(self, name: str, admin: bool = False) -> User:
        """A new user with a scan directory of their own."""
        folder = self.root / "photos" / name
        folder.mkdir(parents=True)
        self.users[name] = self.system.users.create(name, CHEAP.hash(PASSWORD), admin, str(folder))
        return self.users[name]

    def token(self, name: str) -> str:
        """The token of a user's lasting session."""
        if name not in self.tokens:
            self.tokens[name] = self.new_token(name)
        return self.tokens[name]

    def new_token(self, name: str) -> str:
        """The token of a session of its own, to be ended."""
        return self.system.sessions.open(self.users[name].user_id, "test")[0]

    def revoked(self, name: str) -> str:
        """The token of a session that was ended."""
        token, session = self.system.sessions.open(self.users[name].user_id, "ended")
        self.system.sessions.revoke(session.session_id, session.user_id)
        return token

    def expired(self, name: str) -> str:
        """The token of a session that nobody used for too long."""
        token, session = self.system.sessions.open(self.users[name].user_id, "old")
        past = {"session_id": [session.session_id], "expires_at": [self.clock.now - timedelta(seconds=1)]}
        schema = pa.schema([self.system.sessions.table.schema.field(column) for column in past])
        self.system.sessions.table.update(pa.table(past, schema=schema))
        return token

    def client(self, token: str | None = None, **headers: str | bytes) -> httpx.Client:
        """A client with a bearer token, or none."""
        given = {name: value.encode() if isinstance(value, str) else value for name, value in headers.items()}
        bearer = {"Authorization": f"Bearer {token}".encode()} if token else {}
        sent = {name.encode(): value for name, value in {**bearer, **given}.items()}
        # Without certificates, which take longer to read than most requests take.
        opened = httpx.Client(base_url=self.http.url, headers=sent, timeout=20, trust_env=False, verify=False)
        return self.closing.enter_context(opened)

    def as_user(self, name: str) -> httpx.Client:
        """A client logged in as a user."""
        return self.client(self.token(name))

    def until(self, happens: Callable[[], bool], within_s: float = 10) -> None:
        """Wait for something to happen; fails when it does not in time."""
        deadline = time.monotonic() + within_s
        while not happens():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    def photo(self, owner: str, name: str = "one.jpg", data: bytes = b"\xff\xd8 a picture", **columns: Any) -> str:
        """A photo in an owner's library, with its file on disk and its derived pictures; returns its id."""
        content = hashlib.sha256(owner.encode() + name.encode() + data).hexdigest()[:32]
        path = name.encode()
        self._write(owner, name, data, content)
        library = self.library(owner)
        main = file_id("folder", path)
        file = {
            "file_id": main, "source": "folder", "path": path, "name": name, "kind": "image", "size": len(data),
            "content_id": content, "photo_id": content, "state": "ok", "seen_at": NOON,
        }  # fmt: skip
        row = {
            "photo_id": content, "main_file_id": main, "content_id": content, "name": name, "kind": "image",
            "variants": 1, "width": 4, "height": 3, "size": len(data), "taken_at": NOON, "taken_source": "exif",
            "orientation": 1, "media_rev": "media-1", "clip_rev": MODEL, "added_at": NOON, "changed_at": NOON,
            "search_text": name, **columns,
        }  # fmt: skip
        library.files.upsert(rows_of([file], library.files.schema))
        library.photos.upsert(library.photos.completed(rows_of([row], library.photos.schema)))
        vectors = library.embeddings(MODEL, WIDTH)
        vector = {"id": content, "photo_id": content, "vector": vector_of(str(row["search_text"]))}
        vectors.upsert(rows_of([vector], vectors.schema))
        return content

    def _write(self, owner: str, name: str, data: bytes, content: str) -> None:
        original = Path(self.users[owner].scan_directory) / name
        original.parent.mkdir(parents=True, exist_ok=True)
        original.write_bytes(data)
        for size, ending in {"preview": "jpg", "big": "webp", "square": "webp", "small": "webp"}.items():
            derived = self.settings.derived / self.users[owner].user_id / content[:2] / f"{content}.{size}.{ending}"
            derived.parent.mkdir(parents=True, exist_ok=True)
            derived.write_bytes(f"{size} of {content}".encode())


def build(root: Path, clock: Clock | None = None, media: MediaSettings | None = None, **api: Any) -> World:
    """A world with the users ann, ben and admin, not answering yet."""
    chosen: dict[str, Any] = {"port": 0, "trusted_proxies": ["127.0.0.1"], "page_size": 5, **api}
    settings = Settings(root=root / "data", api=ApiSettings(**chosen), media=media or MediaSettings())
    clock = clock or Clock()
    system = open_system(settings, clock)
    opened: dict[str, Library] = {}
    lock = threading.Lock()

    def library(user_id: str) -> Library:
        with lock:
            if user_id not in opened:
                opened[user_id] = open_library(settings, user_id)
            return opened[user_id]

    cluster, models, board = TakingCluster(), WordModels(library), PinBoard()
    jobs = JobControl(settings, system, cluster, clock)
    deps = Deps(
        settings, system, library, jobs, models, two_nodes, lambda: {"clip": MODEL}, CHEAP,
        board=board, writer=lambda user_id: Writer(library(user_id), settings.store),
    )  # fmt: skip
    return World(root, settings, clock, system, cluster, models, deps, opened, board)


@contextmanager
def answering(world: World, app: Litestar | None = None) -> Iterator[World]:
    """The world, answering HTTP for as long as the block runs."""
    world.app = app or create_app(world.deps)
    with serving(world.app, "127.0.0.1", 0) as server, ExitStack() as world.closing:
        world.server = server
        yield world
