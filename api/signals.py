"""How a command that has started something ends: on a signal in good order, as with Ctrl-C, and in any case in time."""

import os
import signal
import threading
from types import FrameType
from typing import NoReturn

ENDINGS = (signal.SIGTERM, signal.SIGHUP)  # asked to end, and the terminal was closed


def end_in_order() -> None:
    """Let signals that would kill this process raise SystemExit in its main thread, so that `finally` blocks run.

    A signal that whoever started us has us ignore (`nohup`) stays ignored.
    """
    for number in ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def leave(number: int, frame: FrameType | None) -> NoReturn:
    """End once: a closed terminal sends its signal twice, and the second must not interrupt what the first began."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise SystemExit(128 + number)


def end_within(seconds: float) -> None:
    """End this process with status 1 after so long, whatever it still waits for; one that ends by itself has."""
    last = threading.Timer(seconds, os._exit, (1,))
    last.daemon = True
    last.start()
