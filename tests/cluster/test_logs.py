"""What a process logs, warns of, prints and dies of: lines of JSON below its root, without secrets and escapes."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from logging.handlers import MemoryHandler
from pathlib import Path
from typing import Any

import pytest

from cluster.logs import ABOUT, configure, logs_dir, unconfigure
from cluster.records import LINE_BYTES, JsonLines, PlainText
from cluster.redaction import MARK, Redactor
from cluster.settings import SERVICES, Settings

REPOSITORY = Path(__file__).resolve().parents[2]
SECRET = "correct-horse-battery"
REDACT = Redactor()  # knows nothing of what other tests of this process were told
Configured = Callable[..., None]

ENDINGS = {
    "an error that nobody caught": "raise RuntimeError('password={0}')",
    "a thread's error": "import threading; t = threading.Thread(target=lambda: {{}}['token={0}']); t.start(); t.join()",
    "a destructor's error": "class A:\n  def __del__(self): raise ValueError('secret={0}')\nA()",
    "a warning": "import warnings; warnings.warn('api_key={0}')",
    "an error in a task": "import asyncio\nasync def f(): raise ValueError('pwd={0}')\n"
    "async def g():\n  asyncio.create_task(f()); await asyncio.sleep(0.01)\nasyncio.run(g())\nimport gc; gc.collect()",
    "what cannot be formatted": "logging.error('%d', 'password={0}')\nlogging.error('this can be')",
    "what is printed": "print('pass', end='', flush=True); print('word=', end=''); print('{0}')",
    "a last line without its end": "import sys; sys.stderr.write('token={0}')",
}
BEGIN = """
import logging, sys
from cluster.logs import configure
configure(sys.argv[1], "jobs", "job-7")
"""


@pytest.fixture
def log_for(tmp_path: Path) -> Iterator[Configured]:
    """Makes this process log below a folder for as long as the test runs."""
    usual = {"prints_are_kept": False, "redact": REDACT}
    yield lambda about="api", **given: configure(tmp_path, about, **{**usual, **given})
    unconfigure()


def lines(root: Path, about: str = "api") -> list[dict[str, Any]]:
    """The lines of a log."""
    return [json.loads(line) for line in (logs_dir(root) / f"{about}.log").read_text().splitlines()]


def record(message: str, *arguments: object) -> logging.LogRecord:
    """A record that came by no factory of ours."""
    return logging.LogRecord("some.module", logging.WARNING, "", 0, message, arguments, None)


def test_a_line_says_when_who_where_and_what(tmp_path: Path, log_for: Configured) -> None:
    """One JSON object, for programs and people."""
    log_for("jobs", job_id="job-7")
    logging.getLogger("some.module").info("did %d of %s", 3, "them")

    (line,) = lines(tmp_path, "jobs")
    assert line["at"].endswith("+00:00")
    assert {name: line[name] for name in ("level", "service", "job", "logger", "message", "exception")} == {
        "level": "INFO", "service": "jobs", "job": "job-7", "logger": "some.module", "message": "did 3 of them",
        "exception": "",
    }  # fmt: skip
    assert line["node"]
    assert line["pid"] > 0


def test_an_exception_is_told_with_its_way_and_without_its_secrets(tmp_path: Path, log_for: Configured) -> None:
    """In the same line."""
    log_for()
    try:
        raise ValueError(f"refused: password={SECRET}")
    except ValueError:
        logging.getLogger("x").exception("it failed with token=%s", SECRET, stack_info=True)

    (line,) = lines(tmp_path)
    assert "Traceback" in line["exception"]
    assert f"ValueError: refused: password={MARK}" in line["exception"]
    assert SECRET not in str(line)


def test_handlers_of_others_write_no_secret_either(tmp_path: Path, log_for: Configured) -> None:
    """As Ray Serve's in a replica: buffered, with a formatter of its own, and more fields than a message."""
    logger, into = logging.getLogger("ray.serve.test"), tmp_path / "theirs.log"
    target = logging.FileHandler(into)
    target.setFormatter(logging.Formatter("%(message)s %(route)s %(given)s"))
    early, late = MemoryHandler(1, logging.ERROR, target), logging.FileHandler(tmp_path / "late.log")
    logger.addHandler(early)
    log_for("tags")
    logger.addHandler(late)
    try:
        try:
            raise ValueError(f"secret={SECRET}")
        except ValueError:
            logger.exception(
                "GET /?token=%s", SECRET, extra={"route": f"/?access_token={SECRET}", "given": {"password": SECRET}}
            )
    finally:
        for handler in (early, late, target):
            logger.removeHandler(handler)
            handler.close()

    for file in (into, tmp_path / "late.log"):
        assert f"token={MARK}" in file.read_text()
        assert f"secret={MARK}" in file.read_text()
        assert SECRET not in file.read_text()


def test_errors_of_rays_replicas_are_in_the_log_of_their_service(tmp_path: Path, log_for: Configured) -> None:
    """Serve's logger hands nothing on to the root; each of its calls is not worth a line."""
    serve = logging.getLogger("ray.serve")
    before = serve.propagate, serve.level
    serve.propagate = False
    serve.setLevel(logging.INFO)
    try:
        log_for("tags")
        serve.info("CALL predict OK 3.1ms")
        serve.error("Request failed")
    finally:
        serve.propagate = before[0]
        serve.setLevel(before[1])

    assert [line["message"] for line in lines(tmp_path, "tags")] == ["Request failed"]


def test_a_process_that_is_configured_again_logs_once(tmp_path: Path, log_for: Configured) -> None:
    """And for what it was told last; undone, it logs as it did before."""
    handlers, factory, hook = list(logging.getLogger().handlers), logging.getLogRecordFactory(), sys.excepthook
    for about in ("api", "jobs"):
        log_for(about)
        logging.getLogger("x").warning("for %s", about)
    unconfigure()
    logging.getLogger("x").warning("for nobody")

    assert [line["message"] for line in lines(tmp_path)] == ["for api"]
    assert [line["message"] for line in lines(tmp_path, "jobs")] == ["for jobs"]
    assert (list(logging.getLogger().handlers), logging.getLogRecordFactory(), sys.excepthook) == (
        handlers, factory, hook,
    )  # fmt: skip


def test_logs_are_of_services_that_there_are(tmp_path: Path) -> None:
    """No other name becomes a file."""
    assert set(SERVICES) < set(ABOUT)
    with pytest.raises(ValueError, match="no logs of that name"):
        configure(Settings(root=tmp_path), "../x")


@pytest.mark.parametrize("text", ["a\nb\r", "\x1b[31mred\x1b[0m", "\x7f\x9b1m", "\u202egpj.exe", "\udc80", "\u2028"])
def test_no_text_begins_a_line_or_steers_a_terminal(text: str) -> None:
    """In JSON and in what people read; a program gets the very text back."""
    told = JsonLines("api", "", REDACT).format(record("%s", text))
    shown = PlainText("api", "", REDACT).format(record("%s", text))

    assert json.loads(told)["message"] == text
    assert told.isprintable()
    assert shown.isprintable()


def test_the_lines_of_an_exception_pass_for_no_other_record() -> None:
    """Each stands behind a bar."""
    told = record("failed")
    try:
        raise ValueError("x\n2026-01-01T00:00:00+00:00 WARNING api x: forged\x1b[2J")
    except ValueError as error:
        told.exc_info = (type(error), error, error.__traceback__)

    head, *below = PlainText("api", "", REDACT).format(told).split("\n")
    assert head.endswith("some.module: failed")
    assert all(line.startswith("  | ") and line.isprintable() for line in below)


@pytest.mark.parametrize("sign", ["x", "\0", "\U0001f600", "\U000e0001", '"'])
def test_a_line_has_its_length_and_a_cut_reveals_nothing(sign: str) -> None:
    """Secrets are taken out first: none is cut in half, wherever the cut is."""
    for fill in range(LINE_BYTES // 2 - 60, LINE_BYTES // 2 + 20, 7):
        told = JsonLines("api", "", REDACT).format(record(sign * fill + f" password={SECRET} " + sign * 10**5))
        assert len(told.encode()) < LINE_BYTES
        assert json.loads(told)["message"].endswith("[cut]")
        assert "correct" not in told


@pytest.mark.parametrize("ending", ENDINGS)
def test_whatever_a_process_ends_by_or_prints_holds_no_secret(tmp_path: Path, ending: str) -> None:
    """Neither in its log nor in its output, and what happened is told."""
    code = BEGIN + ENDINGS[ending].format(SECRET)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True, timeout=60
    )

    log = logs_dir(tmp_path) / "jobs.log"
    written = log.read_text() if log.exists() else ""
    assert "correct" not in done.stdout + done.stderr + written
    if ending in ("what is printed", "a last line without its end"):
        assert done.stdout + done.stderr in (f"password={MARK}\n", f"token={MARK}\n")
    elif ending == "what cannot be formatted":
        assert "could not be written: 1 (TypeError)" in written
    else:
        assert f"={MARK}" in written
        assert f"={MARK}" in done.stderr
        assert '"job":"job-7"' in written


def test_ctrl_c_is_no_error(tmp_path: Path) -> None:
    """It ends a process as it always did."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + "raise KeyboardInterrupt", str(tmp_path)],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert "KeyboardInterrupt" in done.stderr
    assert not (logs_dir(tmp_path) / "jobs.log").exists()
