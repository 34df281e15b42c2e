"""Whether a model still answers: it is asked with a tiny real input when nobody else has asked for a while.

The question is asked beside the health check, never in it: on a busy machine a slow answer is no reason to end a
replica, one that does not come at all is.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

log = logging.getLogger(__name__)

IDLE_S = 10.0  # without an answer to anybody, after which the model is asked
HUNG_S = 60.0  # an answer to the tiny input takes no longer, on however busy a machine

REST, SLOW = 20.0, 10.0  # times the last tiny answer: so long a slow model is left alone, and so long it may take
Clock = Callable[[], float]


class Unhealthy(Exception):
    """The replica is to be replaced; the text says why."""


class Pulse:
    """Watches one model; `check` is quick and raises Unhealthy when the model is not well."""

    def __init__(
        self, ask: Callable[[], Any], longest_s: float, poisoned: Callable[[], str], clock: Clock = time.monotonic
    ) -> None:
        """`ask` asks the model something tiny; a call may take `longest_s`; `poisoned` says why all is lost, or ""."""
        self._ask, self._longest_s, self._poisoned, self._clock = ask, longest_s, poisoned, clock
        self._answered = clock()
        self._calls: dict[int, float] = {}  # under way, by when they began
        self._number = 0
        self._question: Future[Any] | None = None
        self._asked = self._took = 0.0  # when the last question was asked, and how long its answer took
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="pulse")
        self._fault = ""
        self._lock = threading.Lock()

    @contextmanager
    def beating(self) -> Iterator[None]:
        """A call of the model: while it computes, and for a while after it answers, nobody needs to ask."""
        with self._lock:
            self._number += 1
            number = self._number
            self._calls[number] = self._clock()
        try:
            yield
            self._answered, self._fault = self._clock(), ""
        finally:
            with self._lock:
                del self._calls[number]

    def check(self) -> None:
        """Raise Unhealthy if the model is known not to answer, and ask it if that is not known."""
        now = self._clock()
        self._hear()
        if fault := self._poisoned() or self._fault:
            raise Unhealthy(fault)
        with self._lock:
            oldest = min(self._calls.values(), default=now)
        if now - oldest > self._longest_s:
            raise Unhealthy(f"the model has computed one batch for {now - oldest:.0f} s")
        if self._question and now - self._asked > max(HUNG_S, SLOW * self._took):
            raise Unhealthy(f"the model has not answered a tiny input for {now - self._asked:.0f} s")
        if not self._question and not self._calls and now - self._answered > max(IDLE_S, REST * self._took):
            self._asked, self._question = now, self._threads.submit(self._ask)

    def _hear(self) -> None:
        """Take the answer to the last question, if it is there."""
        if self._question and self._question.done():
            self._took = max(0.0, self._answered - self._asked)
            if error := self._question.exception():
                log.error("the model fails on a tiny input", exc_info=error)
                self._fault = f"the model fails on a tiny input: {type(error).__name__}: {error}"
            self._question = None
