"""What a process prints, without the secrets in it: for stdout and stderr of processes whose output Ray keeps.

Works on whole lines, so that a secret that is printed piece by piece is found.
"""

import json
import threading
from collections.abc import Callable
from typing import Any, TextIO

LINE = 64 * 1024  # characters that wait for a newline
TAIL = 4096  # left out of a longer line's end, where a secret may have been cut in half


class Prints:
    """A text stream that hands on whole lines, redacted; everything else is the stream's below."""

    def __init__(self, stream: TextIO, redact: Callable[[str], str]) -> None:
        self.stream, self.redact = stream, redact
        self._held: list[str] = []  # of a line that has not ended
        self._length = 0
        self._lock = threading.RLock()  # a signal's handler may print too

    def write(self, text: str) -> int:
        """Print some text once its line ends."""
        with self._lock:
            lines, newline, rest = text.rpartition("\n")
            if newline:
                self._hand_on("".join([*self._held, lines]), "\n")
            self._held.append(rest)
            self._length += len(rest)
            if self._length > LINE:
                self._hand_on("".join(self._held), " [cut]\n", TAIL)
        return len(text)

    def flush(self) -> None:
        """Hand on what the stream below holds; a line that has not ended goes on waiting."""
        self.stream.flush()

    def finish(self) -> None:
        """Print a last line that has no end."""
        with self._lock:
            if self._length:
                self._hand_on("".join(self._held), "\n")
            self.stream.flush()

    def _hand_on(self, lines: str, ending: str, without: int = 0) -> None:
        self._held, self._length = [], 0
        clean = self.redact(lines)
        self.stream.write((clean[:-without] if without else clean) + ending)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def visible(text: str) -> str:
    """A text with every character that is none to look at written as its escape in JSON."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)
