"""Logs of our processes: one JSON object a line in a journal of each service, with no secret in it.

`configure` is the first thing that a process does. What it logs, warns of or dies of goes to ROOT/logs/ABOUT.log, and
from warnings on to its stderr; what Ray's own loggers write, wherever they write it, loses its secrets too. A log that
cannot be written is no reason to stop: lines are lost, and counted. A library that writes to descriptor 2 by itself
goes past all this.
"""

import atexit
import logging
import os
import sys
import threading
import traceback
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, cast

from cluster.journal import Journal, Limits
from cluster.prints import Prints
from cluster.records import JournalHandler, JsonLines, Message, PlainText, Redact, StderrHandler
from cluster.redaction import redacted, remember_environment, remember_file
from cluster.settings import SERVICES, Settings
from cluster.store.clock import Clock, utc_now

ABOUT = ("api", "jobs", "writer", *SERVICES)  # whose logs there are; `jobs` with their actors, `writer`: of libraries

log = logging.getLogger(__name__)
installed = ExitStack()  # how to undo what the last call of `configure` did
STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime"}


def logs_dir(root: Path) -> Path:
    """Where the logs of a root are."""
    return root / "logs"


def configure(
    where: Settings | Path | str,
    about: str,
    job_id: str = "",
    *,
    prints_are_kept: bool = True,
    redact: Redact = redacted,
    limits: Limits = Limits(),
    clock: Clock = utc_now,
) -> None:
    """Log for one service, one of ABOUT, below the root that settings or a path name; may be called again.

    What a process prints is redacted too where it is kept, as Ray does; not where a person sees it. ValueError for an
    unknown service.
    """
    if about not in ABOUT:
        raise ValueError(f"{about}: there are no logs of that name; there are {', '.join(ABOUT)}")
    root = where.root if isinstance(where, Settings) else Path(where)
    unconfigure()
    learn(root)
    logging.raiseExceptions = False  # what cannot be formatted would be printed as it is
    redact_records(redact)
    if prints_are_kept:
        redact_prints(redact)
    written = JsonLines(about, job_id, redact)
    for logger, level in ("", logging.INFO), ("ray.serve", logging.WARNING):  # which hands nothing on to the root
        attach(JournalHandler(Journal(logs_dir(root), about, limits, clock), written), logger, level)
    attach(StderrHandler(PlainText(about, job_id, redact)), "", logging.WARNING)
    redact_handlers(redact)
    hear()
    watch()


def unconfigure() -> None:
    """Undo `configure`, so that the process logs as it did before."""
    installed.close()


def learn(root: Path) -> None:
    """Remember the secrets that this process can know: in its environment, and the token of its Ray."""
    remember_environment()
    remember_file(root / "run" / "ray-token")
    remember_file(Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or "~/.ray/auth_token").expanduser())


def attach(handler: logging.Handler, name: str, level: int) -> None:
    """Let a logger use a handler from a level on."""
    logger = logging.getLogger(name)
    handler.setLevel(level)
    logger.addHandler(handler)
    installed.callback(handler.close)
    installed.callback(logger.removeHandler, handler)


def hear() -> None:
    """Let the root logger take everything from INFO on, and of those that tell each request only warnings."""
    root, before = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.INFO)
    installed.callback(root.setLevel, before)
    for chatty in ("httpx", "httpcore", "urllib3", "filelock", "fsspec"):
        if logging.getLogger(chatty).level == logging.NOTSET:
            logging.getLogger(chatty).setLevel(logging.WARNING)


def redact_records(redact: Redact) -> None:
    """Make records of this process that hold no secret, whichever handler, ours or others', gets to see them."""
    before = logging.getLogRecordFactory()

    def factory(*given: Any, **named: Any) -> logging.LogRecord:
        record = before(*given, **named)
        record.msg, record.args = Message(record.msg, record.args, redact), None
        if record.exc_info and record.exc_info[0]:
            record.exc_text = redact("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
        record.stack_info = record.stack_info and redact(record.stack_info)
        return record

    logging.setLogRecordFactory(factory)
    installed.callback(logging.setLogRecordFactory, before)


class Extras(logging.Filter):
    """Takes secrets out of what a record was given besides its message; others' formatters write it."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self.redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record through."""
        for name, value in list(vars(record).items()):
            if name not in STANDARD and isinstance(value, str | bytes | dict | list | tuple):
                plain = value if isinstance(value, str) else repr(value)
                if (clean := self.redact(plain)) != plain:
                    setattr(record, name, clean)
        return True


def redact_handlers(redact: Redact) -> None:
    """See to the handlers that others gave their loggers before us, such as Ray's; ours see to themselves."""
    extras = Extras(redact)
    for logger in [logging.getLogger(), *logging.getLogger().manager.loggerDict.values()]:
        for handler in logger.handlers if isinstance(logger, logging.Logger) else []:
            if not isinstance(handler, JournalHandler | StderrHandler):
                handler.addFilter(extras)
                installed.callback(handler.removeFilter, extras)


def redact_prints(redact: Redact) -> None:
    """Take secrets out of what this process prints."""
    printed, complained = sys.stdout, sys.stderr
    streams = [stream and Prints(stream, redact) for stream in (printed, complained)]
    sys.stdout, sys.stderr = cast(tuple[TextIO, TextIO], tuple(streams))

    def back() -> None:
        for stream in filter(None, streams):
            stream.finish()
            atexit.unregister(stream.finish)
        sys.stdout, sys.stderr = printed, complained

    for stream in filter(None, streams):
        atexit.register(stream.finish)
    installed.callback(back)


def watch() -> None:
    """Log warnings, and what threads and the process itself die of, instead of printing them."""
    before, in_thread, out_of_sight = sys.excepthook, threading.excepthook, sys.unraisablehook

    def died(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, Exception):  # Ctrl-C
            before(kind, error, trace)
            return
        log.critical("ended by an error that nobody caught", exc_info=(kind, error, trace))

    def thread_died(what: threading.ExceptHookArgs) -> None:
        if what.exc_type is not SystemExit and what.exc_value:
            name = what.thread.name if what.thread else "?"
            log.error(
                "the thread %s ended by an error", name, exc_info=(what.exc_type, what.exc_value, what.exc_traceback)
            )

    def unraisable(what: "sys.UnraisableHookArgs") -> None:
        if what.exc_value:
            log.error("an error that could not be raised", exc_info=(what.exc_type, what.exc_value, what.exc_traceback))

    sys.excepthook, threading.excepthook, sys.unraisablehook = died, thread_died, unraisable
    logging.captureWarnings(True)
    installed.callback(logging.captureWarnings, False)
    installed.callback(setattr, sys, "unraisablehook", out_of_sight)
    installed.callback(setattr, threading, "excepthook", in_thread)
    installed.callback(setattr, sys, "excepthook", before)
