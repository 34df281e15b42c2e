"""A decode child that does harm to files whose names, or whose sidecars' names, begin with a mark, and is the real one
for all others.

Run by tests in place of serve_apps.media.child; the product has no such hooks.
"""

import ctypes
import errno
import os
import resource
import signal
import sys
from pathlib import Path

from cluster.errors import Unreadable
from serve_apps.media import child
from serve_apps.media.protocol import Answer, Identity, Pixels, Ready, Request, Setup, framed

HEAVY = ("ray", "torch", "lancedb", "litestar", "pydantic", "av", "rawpy", "pillow_heif", "cv2")


def misbehave(request: Request, setup: Setup, memory: int) -> Answer:
    """Do what the name of the file says, or that of its sidecar, else answer as the real child does."""
    path = Path(os.fsdecode(getattr(request, "sidecar", None) or request.path))
    match path.name.split("-")[0]:
        case "segfault":
            ctypes.string_at(0)
        case "once":
            if not (tried := path.with_suffix(".tried")).exists():
                tried.touch()
                os.kill(os.getpid(), signal.SIGSEGV)
        case "hang":
            signal.pause()
        case "spin":
            while True:
                pass
        case "hog":
            hoard = []
            while True:
                hoard.append(bytearray(16 << 20))
        case "leave":
            os._exit(3)
        case "garble":
            os.write(int(sys.argv[1]), b"\x05\0\0\0\xc1junk")
            signal.pause()
        case "shout":
            os.write(int(sys.argv[1]), b"\xff\xff\xff\xff")
            signal.pause()
        case "swap":
            return Ready()
        case "lie":
            os.write(int(sys.argv[1]), framed(Identity("../../etc/passwd", 1, 1, None)))
            signal.pause()
        case "pretend":
            return Pixels(100, 100)
        case "choke":
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        case "environment":
            raise Unreadable(" ".join(sorted(os.environ)))
        case "imports":
            raise Unreadable(" ".join(module for module in HEAVY if module in sys.modules) or "none")
        case "powers":
            raise Unreadable(powers())
    return child.answer(request, setup, memory)


def powers() -> str:
    """What the kernel lets this process do, in words."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    limits = {
        name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0] for name in ("AS", "FSIZE", "CORE", "NOFILE")
    }
    streams = {os.readlink(f"/proc/self/fd/{number}") for number in range(3)}
    return f"{limits} privileges {status['NoNewPrivs'].strip()} streams {streams} folder {Path.cwd()}"


if __name__ == "__main__":
    child.serve(int(sys.argv[1]), int(sys.argv[2]), misbehave)
