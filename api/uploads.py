"""Pictures that people send: each in a private file while the decode child reads it, and nowhere afterwards.

Leaves out what a picture is for. Bytes that were sent are decoded in the child alone.
"""

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol
from weakref import WeakValueDictionary

from litestar import Request
from litestar.exceptions import InternalServerException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from api.errors import Refusal
from api.forms import FormFile
from api.gate import SEND_A_PICTURE
from cluster.errors import Invalid, Unavailable
from cluster.settings import Settings
from serve_apps.media.box import Decoder
from serve_apps.media.kinds import extension, kind_of
from serve_apps.models.protocol import Image
from serve_apps.spares import Spares

ARRIVING = 4  # pictures of one user that are on our disk; the body of the next one waits at its sender
AT_ONCE = 2  # pictures of one user that are decoded: each takes a process, and may hold it until its time is over
SILENT_S = 60.0  # a sender of whom nothing comes for so long is gone, whatever its connection says


NO_ROOM = "Ask an administrator to look after the disk that Brightroom's root is on."
log = logging.getLogger(__name__)


class Incoming(Protocol):
    """A file that arrives in pieces; it has a name, perhaps, when it is there."""

    name: str

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Its pieces."""
        ...


class WholeBody:
    """A request's body that is a file by itself."""

    def __init__(self, body: AsyncIterator[bytes], name: str) -> None:
        self.name = name
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body


class Uploads:
    """Turns what a request carries into a picture. One for each application; open it first, and close it."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.root / "uploads"
        self._most_mb, self._longest = settings.api.upload_mb, settings.scan.analysis_px
        self._decoders = Spares(lambda: Decoder(settings.media, self.folder))
        self._arriving: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def open(self) -> None:
        """Make the folder for files that arrive, without those of a process that was killed over them; blocks."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, mode=0o700)

    def close(self) -> None:
        """End the decode children."""
        for decoder in self._decoders.taken():
            decoder.close()

    async def picture(self, request: Request[Any, Any, Any], owner: str, name: str) -> Image:
        """(H, W, 3) of what a request carries, of the size that models see, under this name if it has none of its own.

        Raises Invalid when it carries nothing or comes in part, Refusal (413) when it is too large, Unavailable when
        there is no room for it, and a PhotoError when it is no picture.
        """
        async with self._arriving.setdefault(owner, asyncio.Semaphore(ARRIVING)):
            with roomy(), TemporaryDirectory(dir=self.folder) as private:
                path = await received(incoming(request, self._most_mb, name), Path(private))
                async with self._turns.setdefault(owner, asyncio.Semaphore(AT_ONCE)):
                    return await asyncio.to_thread(self._decoded, path)

    def _decoded(self, path: Path) -> Image:
        with self._decoders.lent() as decoder:
            return decoder.rgb(os.fsencode(path), self._longest)


@contextmanager
def roomy() -> Iterator[None]:
    """A block that keeps files; raises Unavailable when the disk does not take them."""
    try:
        yield
    except OSError as error:
        log.warning("a picture could not be received: %s", error)
        raise Unavailable(f"The picture cannot be received: {error.strerror}. {NO_ROOM}") from error


def incoming(request: Request[Any, Any, Any], most_mb: int, name: str) -> Incoming:
    """The file that a request carries: the one of its form, or its body."""
    media_type, options = request.content_type
    body = pieces(request, most_mb)
    return FormFile(body, options.get("boundary", "")) if media_type == "multipart/form-data" else WholeBody(body, name)


async def pieces(request: Request[Any, Any, Any], most_mb: int, silent_s: float = SILENT_S) -> AsyncIterator[bytes]:
    """A body as it arrives, without empty pieces."""
    body = request.stream()
    try:
        while True:
            async with asyncio.timeout(silent_s):
                piece = await anext(body, None)
            if piece is None:
                return
            if piece:
                yield piece
    except RequestEntityTooLarge:
        advice = "Send a smaller one, or ask an administrator to raise api.upload_mb"
        raise Refusal(status_code=413, detail=f"The picture is larger than {most_mb:,} MB. {advice}.") from None
    except (InternalServerException, TimeoutError):  # the client is gone, and nothing of ours went wrong
        raise Invalid("The picture did not arrive whole. Send it again.") from None


async def received(file: Incoming, folder: Path) -> Path:
    """Where a file was written to; its ending is that of its name, if pictures have it. Raises Invalid for no bytes."""
    path = folder / "picture"
    with path.open("xb") as writing:
        async for piece in file:
            await asyncio.to_thread(writing.write, piece)
        if not writing.tell():
            raise Invalid(f"There is no picture in the request. {SEND_A_PICTURE}")
    ending = extension(file.name) if kind_of(file.name) else ""  # it tells camera RAW from TIFF
    return path.rename(path.with_suffix(f".{ending}" if ending else ""))
