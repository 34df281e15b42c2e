"""The one process that writes a library: a named actor round `store.writer.Writer`, found by every process there is.

Calls that arrive while a commit is under way are committed together by the next one.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import msgspec
import ray

from cluster.board import board, read
from cluster.logs import configure
from cluster.settings import Settings
from cluster.store.commits import CommitCounts
from cluster.store.database import open_library
from cluster.store.writer import Write, Writer

TOPIC = "writers"  # on the board: how long commits take, by owner


class LibraryWriter:
    """Gathers writes on one library and commits them together; an answer means that they are durable."""

    def __init__(self, settings: Settings, owner: str) -> None:
        configure(settings, "writer")
        self.library = open_library(settings, owner)
        self.owner, self.board = owner, board(settings.ray.namespace)
        self.writer = Writer(self.library, settings.store, last_told(settings.ray.namespace, owner))
        self.waiting: list[Write] = []
        self.turn = asyncio.Lock()
        self.next: asyncio.Task[None] | None = None  # the commit that those who come now will share

    async def commit(self, writes: Sequence[Write]) -> None:
        """Commit writes, with all others that wait; its failure is everyone's whose writes it held."""
        self.waiting.extend(writes)
        if self.next is None:
            self.next = asyncio.create_task(self.commit_waiting())
        await asyncio.shield(self.next)

    async def commit_waiting(self) -> None:
        """One commit of all that waits once it is our turn."""
        async with self.turn:
            taken, self.waiting, self.next = self.waiting, [], None
            try:
                await asyncio.to_thread(self.writer.commit, taken)
            finally:
                self.board.post.remote(TOPIC, self.owner, msgspec.to_builtins(self.writer.counts))

    async def build_indexes(self) -> None:
        """Build what makes a large library quick to search."""
        async with self.turn:
            await asyncio.to_thread(self.library.build_indexes)


def last_told(namespace: str, owner: str) -> CommitCounts:
    """The counts of the writer before, which was killed or went with a node: what counts goes on, nothing falls."""
    with suppress(msgspec.ValidationError):  # None, when there was none
        return msgspec.convert(read(namespace, TOPIC, owner), CommitCounts)
    return CommitCounts()


class RemoteWriter:
    """The library's writer, wherever in the cluster it is. Starts it when it is nowhere."""

    def __init__(self, settings: Settings, owner: str) -> None:
        options = ray.remote(LibraryWriter).options(
            name=f"writer:{owner}", namespace=settings.ray.namespace, lifetime="detached", get_if_exists=True,
            num_cpus=0, max_restarts=-1, max_task_retries=-1, max_concurrency=100,
        )  # fmt: skip
        self.actor = cast(Any, options).remote(settings, owner)

    def commit(self, writes: Sequence[Write]) -> None:
        """Commit writes durably. Safe to repeat: a writer that dies is restarted and asked again."""
        ray.get(self.actor.commit.remote(writes))

    def build_indexes(self) -> None:
        """Build what makes a large library quick to search."""
        ray.get(self.actor.build_indexes.remote())
