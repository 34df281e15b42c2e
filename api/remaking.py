"""Derived pictures made again when somebody looks at them and they are gone: once, whoever asks, and few at a time.

Leaves out how a picture is made (batch/pictures.py).
"""

import asyncio
import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from lancedb.expr import col
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from ray.exceptions import RayError

from batch.pictures import Renewal
from batch.sink import Commits
from batch.variants import SIDECAR
from batch.work import sized
from cluster.errors import BrightroomError, DecoderDied, NotFound, PhotoError, StoreError, Unavailable
from cluster.settings import Settings
from cluster.store.database import Library
from cluster.store.files import FOLDER
from cluster.store.users import User
from serve_apps.media.addresses import derived_path, is_there, is_whole

AT_ONCE = 2  # contents that are decoded at the same time
MOST_WAITING = 1000  # contents that may wait for that
REMEMBERED_S = 30.0  # so long a file over which the decoder died is not tried again
TOGETHER = 64  # photos whose sizes are noted in one commit
TROUBLES = (BrightroomError, RayError, RuntimeError, OSError)  # of a store or cluster that is away

Key: TypeAlias = tuple[str, str]  # user id, content id
log = logging.getLogger(__name__)


class Remaking:
    """Makes derived pictures again on demand. One for each application; close it."""

    def __init__(
        self, settings: Settings, library: Callable[[str], Library], writer: Callable[[str], Commits],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`library` and `writer` are by user id."""
        self._settings, self._library, self._writer, self._clock = settings, library, writer, clock
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="remaking")
        self._lock = threading.Lock()
        self._under_way: dict[Key, Future[None]] = {}
        self._renewals: dict[Key, Renewal] = {}  # by user id and folder
        self._hopeless: dict[Key, tuple[float, NotFound]] = {}  # until when
        self._sizes: defaultdict[str, dict[str, int]] = defaultdict(dict)  # user id -> content id -> bytes, not noted
        self.made = 0  # contents whose pictures were made again

    async def again(self, user: User, content_id: str) -> None:
        """Wait until the pictures of a content are there again.

        Raises NotFound when no original of it will do, and Unavailable when none can be made now.
        """
        await asyncio.shield(asyncio.wrap_future(self._asked(user, content_id)))

    async def preview(self, user: User, content_id: str) -> None:
        """Have the preview of a content there, if it can be; whoever reads it says what is wrong otherwise."""
        if not await asyncio.to_thread(is_there, derived_path(self._derived(user), content_id, "preview")):
            with suppress(NotFound):
                await self.again(user, content_id)

    def close(self) -> None:
        """Wait for what is being made, make no more, and end the decode children; blocks."""
        self._workers.shutdown(wait=True, cancel_futures=True)
        for renewal in self._renewals.values():
            renewal.close()

    def _asked(self, user: User, content_id: str) -> Future[None]:
        """What everybody waits for who wants this content."""
        key = (user.user_id, content_id)
        with self._lock:
            if key in self._under_way:
                return self._under_way[key]
            if len(self._under_way) >= MOST_WAITING:
                raise Unavailable("Very many pictures are being made again. Ask for this one in a minute.")
            try:
                future = self._under_way[key] = self._workers.submit(self._made, user, content_id)
            except RuntimeError:
                raise Unavailable("Brightroom is stopping. Ask again when it is up.") from None
            return future

    def _made(self, user: User, content_id: str) -> None:
        key = (user.user_id, content_id)
        try:
            if not is_whole(self._derived(user), content_id):
                self._make(user, content_id)
        finally:
            with self._lock:
                self._under_way.pop(key, None)
                rest = any(owner == user.user_id for owner, _ in self._under_way)
                if self._sizes[user.user_id] and (not rest or len(self._sizes[user.user_id]) >= TOGETHER):
                    self._note_soon(user.user_id)

    def _make(self, user: User, content_id: str) -> None:
        """Make a content's pictures; every error as an answer to a request."""
        key = (user.user_id, content_id)
        until, known = self._hopeless.get(key, (0.0, None))
        if known and self._clock() < until:
            raise known
        try:
            size = self._renewal(user).remake(content_id, self._originals(user, content_id))
        except DecoderDied as error:
            told = NotFound(f"This picture cannot be made again: {error}.")
            now = self._clock()
            fresh = {one: what for one, what in self._hopeless.items() if what[0] > now}
            self._hopeless = {**fresh, key: (now + REMEMBERED_S, told)}
            raise told from None
        except PhotoError as error:
            raise NotFound(f"This picture is not there, and cannot be made again: {error}.") from None
        except StoreError as error:
            raise Unavailable(f"This picture cannot be made again now: {error}.") from None
        with self._lock:
            self.made += 1
            self._sizes[user.user_id][content_id] = size

    def _originals(self, user: User, content_id: str) -> list[bytes]:
        """The paths of the files in the user's folder that have a content; none for somebody without one."""
        told = ["source", "path", "kind", "state"]
        files = self._library(user.user_id).files.of_contents([content_id], told).to_pylist()
        there = [file for file in files if file["source"] == FOLDER and file["state"] == "ok"]
        return [file["path"] for file in there if file["kind"] != SIDECAR] if user.scan_directory else []

    def _renewal(self, user: User) -> Renewal:
        """What makes a user's pictures; of those of others that nobody waits for, the decode children are ended."""
        key = (user.user_id, user.scan_directory)
        with self._lock:
            wanted = {owner for owner, _ in self._under_way}
            for other in [one for one in self._renewals if one != key and one[0] not in wanted]:
                self._renewals.pop(other).close()
            if key not in self._renewals:
                root = os.fsencode(user.scan_directory)
                self._renewals[key] = Renewal(self._settings.media, self._derived(user), root)
            return self._renewals[key]

    def _derived(self, user: User) -> Path:
        """Where a user's derived pictures are."""
        return self._settings.derived / user.user_id

    def _note_soon(self, user_id: str) -> None:
        """Note the sizes that are known by now when a worker is free; the lock is held."""
        made = self._sizes.pop(user_id)
        try:
            self._workers.submit(self._note, user_id, made)
        except RuntimeError:  # closing: a full scan counts them
            log.info("%d pictures that were made again are not counted", len(made))

    def _note(self, user_id: str, made: dict[str, int]) -> None:
        """Commit how many bytes photos' pictures have."""
        try:
            these = col("content_id").isin(list(made))
            rows = self._library(user_id).photos.rows(these, ["photo_id", "content_id"]).to_pylist()
            if writes := sized([(row["photo_id"], made[row["content_id"]]) for row in rows]):
                self._writer(user_id).commit(writes)
        except TROUBLES:
            log.warning("pictures that were made again are not counted; a full scan does", exc_info=True)


Remade: TypeAlias = NamedDependency[SkipValidation[Remaking]]  # how a route asks for it
