"""A decode child in which PIL raises as soon as it is asked to look at a file's bytes, to prove that nobody asks.

Whatever opens, parses, sniffs or unpacks something other than plain pixels is barred. A file whose name begins with
`pil` is handed to PIL on purpose, so that the bar itself is tested.
"""

import io
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from PIL import Image, ImageFile

from serve_apps.media import child
from serve_apps.media.protocol import Answer, Request, Setup

PLAIN = "raw"  # PIL's name for pixels that need no decoding


class PilWasAsked(AssertionError):
    """PIL was handed the bytes of a file."""


def barred(*_: Any, **__: Any) -> NoReturn:
    """Raise, whatever is asked."""
    raise PilWasAsked


def plain_only(wrapped: Any, at: int) -> Any:
    """The function, raising when its argument at this place names a decoder."""

    def guarded(*arguments: Any, **named: Any) -> Any:
        if (arguments[at] if len(arguments) > at else named.get("decoder_name", PLAIN)) != PLAIN:
            raise PilWasAsked
        return wrapped(*arguments, **named)

    return guarded


def bar() -> None:
    """Bar every way by which PIL reads a file."""
    Image.open = Image.init = Image.preinit = barred
    Image._getdecoder = plain_only(Image._getdecoder, 1)
    Image.frombytes = plain_only(Image.frombytes, 3)
    Image.frombuffer = plain_only(Image.frombuffer, 3)
    ImageFile.Parser.feed = ImageFile.Parser.close = barred
    ImageFile.ImageFile.__init__ = ImageFile.ImageFile.load = barred


def answer(request: Request, setup: Setup, memory: int) -> Answer:
    """The real answer, but for a file that is to be handed to PIL."""
    path = Path(os.fsdecode(request.path))
    if path.name.startswith("pil"):
        Image.open(io.BytesIO(path.read_bytes()))
    return child.answer(request, setup, memory)


if __name__ == "__main__":
    bar()
    child.serve(int(sys.argv[1]), int(sys.argv[2]), answer)
