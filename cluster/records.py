"""Records of `logging` as lines without secrets: JSON for a journal, text for people; and the handlers that write them.

Which logger uses which handler is `logs.py`'s business. Secrets are taken out before a line is cut, so that no cut
leaves half of one.
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

from cluster.journal import Journal
from cluster.prints import visible

LINE_BYTES = 64 * 1024  # of one line; longer ones are cut
CUT = " [cut]"
NODE = os.uname().nodename

Redact = Callable[[str], str]


class Message:
    """A record's message, rendered and redacted when it is asked for: a handler may fail over it, its caller not."""

    def __init__(self, message: object, arguments: Any, redact: Redact) -> None:
        self.message, self.arguments, self.redact = message, arguments, redact

    def __str__(self) -> str:
        text = str(self.message)
        return self.redact(text % self.arguments if self.arguments else text)


class JsonLines(logging.Formatter):
    """Records as one JSON object each, without any character that a terminal would act on."""

    def __init__(self, about: str, job_id: str, redact: Redact) -> None:
        super().__init__()
        self.about, self.job_id, self.redact = about, job_id, redact

    def format(self, record: logging.LogRecord) -> str:
        """A record as a line without its newline, of 64 KiB at most."""
        row = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname, "service": self.about, "job": self.job_id, "node": NODE, "pid": os.getpid(),
            "logger": record.name[:200], "message": said(record, self.redact), "exception": raised(record, self.redact),
        }  # fmt: skip
        longest = LINE_BYTES
        while True:  # some letters take up to twelve bytes
            cut = {part: shortened(str(row[part]), longest) for part in ("message", "exception")}
            line = visible(json.dumps(row | cut, ensure_ascii=False, separators=(",", ":")))
            if len(line.encode()) < LINE_BYTES:
                return line
            longest //= 2


def said(record: logging.LogRecord, redact: Redact) -> str:
    """A record's message without secrets."""
    message = record.getMessage()
    return message if isinstance(record.msg, Message) else redact(message)


def raised(record: logging.LogRecord, redact: Redact) -> str:
    """A record's exception, or its stack, as text without secrets; empty where it has none."""
    if record.exc_info and record.exc_info[0] and not record.exc_text:
        record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
    return redact("\n".join(part for part in (record.exc_text, record.stack_info) if part))


def shortened(text: str, longest: int) -> str:
    """A text of so many characters at most."""
    return text if len(text) <= longest else text[: longest - len(CUT)] + CUT


class JournalHandler(logging.StreamHandler["JournalStream"]):
    """Writes records to a journal. A line that cannot be written is counted, and told of once one can."""

    def __init__(self, journal: Journal, formatter: logging.Formatter) -> None:
        super().__init__(JournalStream(journal, formatter))
        self.setFormatter(formatter)

    def handleError(self, record: logging.LogRecord) -> None:
        """Count a record that was not written; called where the error is being handled."""
        error = sys.exc_info()[1]
        told = error.strerror if isinstance(error, OSError) else None
        self.stream.lost, self.stream.why = self.stream.lost + 1, told or type(error).__name__

    def close(self) -> None:
        """Give the files back."""
        self.stream.journal.close()
        super().close()


class JournalStream:
    """A journal as a handler sees it: something to write to. Knows how many lines were lost, and why the last was."""

    def __init__(self, journal: Journal, formatter: logging.Formatter) -> None:
        self.journal, self.formatter = journal, formatter
        self.lost, self.why = 0, ""

    def write(self, text: str) -> None:
        """Append a line, and before it that others were lost; raises OSError."""
        self.journal.append((self._lost_lines() + text).encode())
        self.lost = 0

    def flush(self) -> None:
        """Nothing waits."""

    def _lost_lines(self) -> str:
        if not self.lost:
            return ""
        message = f"lines of this log that could not be written: {self.lost} ({self.why})"
        return self.formatter.format(logging.LogRecord(__name__, logging.WARNING, "", 0, message, (), None)) + "\n"


class StderrHandler(logging.StreamHandler[TextIO]):
    """Writes records to whatever is the process's stderr at that moment; nowhere where it has none."""

    def __init__(self, formatter: logging.Formatter) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(formatter)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Where to."""
        return sys.stderr


class PlainText(logging.Formatter):
    """Records as text for people: one line, and those of an exception behind a bar, so that none passes for another."""

    def __init__(self, about: str, job_id: str, redact: Redact) -> None:
        super().__init__()
        self.about, self.redact = f"{about} {job_id}".strip(), redact

    def format(self, record: logging.LogRecord) -> str:
        """A record as lines, without what a terminal would act on."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")
        message = shortened(said(record, self.redact), LINE_BYTES)
        lines = shortened(raised(record, self.redact), LINE_BYTES).split("\n")
        head = f"{at} {record.levelname} {self.about} {record.name}: {visible(message)}"
        return "\n".join([head, *(f"  | {visible(line)}" for line in lines if line)])
