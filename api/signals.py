"""How a command that has started something ends: on a signal in good order, as with Ctrl-C, and in any case in time."""

import os
import signal
import threading
from collections.abc import Callable
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


def end_within(seconds: float, last_words: Callable[[], object]) -> None:
    """End this process with status 1 after so long, and some words, whatever it still waits for.

    One that has ended by itself by then says none.
    """

    def end() -> None:
        try:
            last_words()
        finally:
            os._exit(1)

    last = threading.Timer(seconds, end)
    last.daemon = True
    last.start()
