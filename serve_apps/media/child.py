"""The decode child: `python -m serve_apps.media.child SOCKET MEMORY`, two file descriptors inherited from its parent.

It reads requests, answers each, and gives up every power it does not need before it sees the first byte of a file. It
may die at any moment: nothing is lost with it but the answer. Leaves out what is done with a file (decoding.py),
deadlines (process.py) and restarting (box.py).
"""

import ctypes
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import BinaryIO, TypeAlias

import pyvips

from cluster.errors import StoreError, TooLarge, Unreadable
from serve_apps.media import decoding, protocol
from serve_apps.media.picture import Image
from serve_apps.media.protocol import Answer, DecodeRequest, Failure, IdentifyRequest, Pixels, Request, Setup
from serve_apps.media.texts import line

Answering: TypeAlias = Callable[[Request, Setup, int], Answer]

LARGEST_FILE = 64 << 20  # bytes that any file written here may reach: derived pictures are far smaller
OPEN_FILES = 64
ADVICE = "it may be damaged: open it elsewhere and save it anew"
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38


def main(arguments: list[str]) -> None:
    """Serve requests until the parent hangs up."""
    serve(int(arguments[0]), int(arguments[1]), answer)


def serve(fd: int, memory: int, answering: Answering) -> None:
    """Answer requests from a socket, one after the other; returns when the parent hangs up or memory ran out."""
    with socket.socket(fileno=fd) as channel, channel.makefile("rb") as incoming:
        setup = protocol.setups.decode(received(incoming))
        confine(setup)
        pyvips.cache_set_max(0)  # no file comes twice
        channel.sendall(protocol.framed(protocol.Ready()))
        while body := received(incoming):
            request = protocol.requests.decode(body)
            limit_cpu(request.cpu_s)
            reply = survived(answering, request, setup, memory)
            channel.sendall(protocol.framed(reply))
            if isinstance(reply, Failure) and reply.reason == "memory":
                return  # what is left of the memory is in pieces


def received(incoming: BinaryIO) -> bytes:
    """The body of the next message, empty when the parent has hung up."""
    return incoming.read(int.from_bytes(incoming.read(protocol.LENGTH_BYTES), "little"))


def answer(request: Request, setup: Setup, memory: int) -> Answer:
    """The answer to a request; pixels are left in the shared memory. Raises Unreadable, TooLarge."""
    if isinstance(request, DecodeRequest):
        return decoding.decode(request, setup)
    if isinstance(request, IdentifyRequest):
        return decoding.identify(request)
    pixels = decoding.rgb(request, setup)
    share(pixels, memory)
    return Pixels(pixels.shape[0], pixels.shape[1])


def share(pixels: Image, memory: int) -> None:
    """Write pixels to the shared memory."""
    view, written = pixels.data.cast("B"), 0
    while written < len(view):
        written += os.pwrite(memory, view[written:], written)


def survived(answering: Answering, request: Request, setup: Setup, memory: int) -> Answer:
    """The answer, whatever goes wrong on the way to it."""
    try:
        reply = answering(request, setup, memory)
        protocol.answers.decode(protocol.framed(reply)[protocol.LENGTH_BYTES :])  # what the parent would not believe
        return reply
    except Unreadable as error:
        return Failure("unreadable", line(str(error)))
    except TooLarge as error:
        return Failure("too large", line(str(error)))
    except MemoryError:
        return Failure("memory", "")
    except StoreError as error:
        return Failure("storage", line(str(error)))
    except Exception as error:  # noqa: BLE001 - the outermost place: one odd file must not end the child
        return Failure("unreadable", line(f"the decoder cannot make sense of this file ({error!r}); {ADVICE}"))


def confine(setup: Setup) -> None:
    """Give up what decoding does not need; ends the process if the parent is gone already."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != setup.parent_pid:  # it died before it could be told to take us along
        os._exit(1)
    for limit, most in (
        (resource.RLIMIT_AS, setup.memory_bytes),
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        allowed = lowered(limit, most)
        resource.setrlimit(limit, (allowed, allowed))


def limit_cpu(seconds: int) -> None:
    """Let the kernel end this process when it has used so many more seconds of CPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + 1 + seconds
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (lowered(resource.RLIMIT_CPU, until), hard))


def lowered(limit: int, most: int) -> int:
    """The limit wanted, or the one that is imposed on us already if that is lower."""
    hard = resource.getrlimit(limit)[1]
    return most if hard == resource.RLIM_INFINITY else min(most, hard)


if __name__ == "__main__":
    main(sys.argv[1:])
