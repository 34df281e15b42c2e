"""A decode child that does harm to files whose first word is a mark, and is the real one for all others.

What is uploaded has no name of its own, so `misbehaving_child.py` is told the mark as if it had.
"""

import os
import sys
from pathlib import Path

import msgspec

from serve_apps.media import child
from serve_apps.media.protocol import Answer, Request, Setup
from tests.serve_apps.media.misbehaving_child import misbehave

MARKS = (b"segfault", b"hang", b"leave", b"garble")


def answer(request: Request, setup: Setup, memory: int) -> Answer:
    """Do what the file says, else answer as the real child does."""
    word = Path(os.fsdecode(request.path)).read_bytes()[:32].split(b" ")[0]
    if word in MARKS:
        return misbehave(msgspec.structs.replace(request, path=b"/" + word + b"-"), setup, memory)
    return child.answer(request, setup, memory)


if __name__ == "__main__":
    child.serve(int(sys.argv[1]), int(sys.argv[2]), answer)
