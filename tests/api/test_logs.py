"""Administrators read logs: what there is, the last lines by level and job, page by page, and the whole as a file."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.log_lines import BLOCK, Log, backwards
from cluster.journal import Journal, Limits, pieces
from cluster.logs import ABOUT, logs_dir
from cluster.store.clock import Clock
from tests.api.world import STEADY, World

LOGS = "/api/server/logs"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)
COUNT = 200


def line(number: int, service: str = "tags") -> dict[str, Any]:
    """A line as a process of ours writes it."""
    return {
        "at": (NOON + timedelta(seconds=number)).isoformat(), "level": LEVELS[number % 5], "service": service,
        "job": f"job-{number % 3}", "node": "here", "pid": 7, "logger": "x", "message": f"line {number}",
        "exception": "",
    }  # fmt: skip


def write(folder: Path, numbers: range, service: str = "tags", file_bytes: int = 5000) -> None:
    """Append lines to a log whose files are small."""
    clock: Clock = lambda: NOON  # noqa: E731
    journal = Journal(folder, service, Limits(file_bytes=file_bytes), clock)
    for number in numbers:
        journal.append(json.dumps(line(number, service)).encode() + b"\n")
    journal.close()


@pytest.fixture
def logged(fresh: World) -> World:
    """A world where `tags` has logged into many files, most of them compressed, and `api` a little."""
    write(logs_dir(fresh.settings.root), range(COUNT))
    write(logs_dir(fresh.settings.root), range(3), "api")
    return fresh


def numbers(lines: list[dict[str, Any]]) -> list[int]:
    """Which lines these are."""
    return [int(one["message"].removeprefix("line ")) for one in lines]


def paged(world: World, **asked: Any) -> Iterator[list[dict[str, Any]]]:
    """Page after page, to the last."""
    client, cursor = world.as_user("root"), ""
    while cursor is not None:
        page = client.get(LOGS, params={**asked, "cursor": cursor}).raise_for_status().json()
        yield page["lines"]
        cursor = page["next_cursor"]


def test_what_there_is_is_told_with_sizes_and_times(logged: World) -> None:
    """Of services that have logged; without lines as long as none are asked for."""
    told = logged.as_user("root").get(LOGS).json()

    folder = logs_dir(logged.settings.root)
    assert told["lines"] == []
    assert [one["service"] for one in told["services"]] == ["api", "tags"]
    tags = told["services"][1]
    assert tags["files"] == len(pieces(folder, "tags")) > 5
    assert tags["bytes"] == sum(file.stat().st_size for file in folder.glob("tags.*"))
    assert datetime.fromisoformat(tags["oldest"]) == NOON
    assert datetime.fromisoformat(tags["newest"]) == NOON + timedelta(seconds=COUNT - 1)


def test_no_log_is_no_error(fresh: World) -> None:
    """On a first start there is none."""
    client = fresh.as_user("root")

    assert client.get(LOGS).json() == {"services": [], "lines": [], "next_cursor": None}
    assert client.get(LOGS, params={"service": "tags"}).json()["lines"] == []
    assert client.get(f"{LOGS}/tags").content == b""


@pytest.mark.parametrize("limit", [1, 7, 40, 500])
def test_pages_go_back_through_all_files(logged: World, limit: int) -> None:
    """Newest first, each line once."""
    found = list(paged(logged, service="tags", limit=limit))

    assert numbers([one for page in found for one in page]) == list(reversed(range(COUNT)))
    assert all(len(page) == limit for page in found[:-1])


def test_lines_are_chosen_by_level_and_job(logged: World) -> None:
    """A level means this one and above."""
    errors = next(paged(logged, service="tags", level="ERROR", limit=500))
    of_job = next(paged(logged, service="tags", job="job-1", limit=500))
    both = list(paged(logged, service="tags", level="CRITICAL", job="job-2", limit=3))

    assert numbers(errors) == [number for number in reversed(range(COUNT)) if number % 5 >= 3]
    assert numbers(of_job) == [number for number in reversed(range(COUNT)) if number % 3 == 1]
    assert [number for page in both for number in numbers(page)] == [
        number for number in reversed(range(COUNT)) if number % 15 == 14
    ]


def test_a_page_goes_on_where_the_last_ended_though_files_were_set_aside_meanwhile(logged: World) -> None:
    """What is logged in between belongs to no later page."""
    pages = paged(logged, service="tags", limit=10)
    first = next(pages)
    write(logs_dir(logged.settings.root), range(COUNT, COUNT + 100))

    rest = [one for page in pages for one in page]

    assert numbers(first + rest) == list(reversed(range(COUNT)))


def test_a_page_looks_at_so_many_bytes_and_no_more(logged: World) -> None:
    """It may be short, or empty; the next ones go on to the end."""
    folder = logs_dir(logged.settings.root)
    log = Log(folder, "tags", pieces(folder, "tags"))
    found, before, pages = [], 1 << 62, 0
    while True:
        lines, after = log.newest(before, lambda one: one.message in ("line 3", "line 150"), 10, most=6000)
        found, pages = found + [one.message for one in lines], pages + 1
        if after is None:
            break
        before = after

    assert found == ["line 150", "line 3"]
    assert pages > 5


def test_a_log_is_downloaded_whole_and_in_order(logged: World) -> None:
    """As JSON lines, to be saved under a name."""
    answer = logged.as_user("root").get(f"{LOGS}/tags")

    assert [json.loads(text) for text in answer.text.splitlines()] == [line(number) for number in range(COUNT)]
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.headers["content-disposition"].startswith('attachment; filename="brightroom-tags.ndjson"')
    assert answer.headers["cache-control"] == "no-store"


def test_a_download_can_be_of_a_level_and_above(logged: World) -> None:
    """As a page can."""
    answer = logged.as_user("root").get(f"{LOGS}/tags", params={"level": "WARNING"})

    told = [json.loads(text) for text in answer.text.splitlines()]
    assert numbers(told) == [number for number in range(COUNT) if number % 5 >= 2]


def test_a_file_that_is_set_aside_while_it_is_read_is_read_to_where_it_was(logged: World) -> None:
    """Under whichever name it is by then."""
    folder = logs_dir(logged.settings.root)
    log = Log(folder, "tags", pieces(folder, "tags"))
    write(folder, range(COUNT, COUNT + 100))

    assert b"".join(log.whole()).splitlines() == [json.dumps(line(number)).encode() for number in range(COUNT)]


def test_a_file_that_is_forgotten_while_others_are_read_is_left_out(logged: World) -> None:
    """What is gone is no error."""
    folder = logs_dir(logged.settings.root)
    log = Log(folder, "tags", pieces(folder, "tags"))
    log.pieces[0].path.unlink()

    told = numbers([json.loads(text) for text in b"".join(log.whole()).splitlines()])

    assert told == list(range(told[0], COUNT))
    assert told[0] > 0


@pytest.mark.parametrize("name", ["nobody", "tags.log", ".tags", "..%2Ftags", "%2E%2E", "tags%00", "API", "run"])
def test_a_name_that_is_none_of_the_services_is_not_found(logged: World, name: str) -> None:
    """No name from outside becomes a path."""
    client = logged.as_user("root")

    assert client.get(f"{LOGS}/{name}").status_code == 404
    assert client.get(f"{LOGS}?service={name}").status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"level": "ERROR"}, {"job": "x"}, {"cursor": "x"}, {"service": "tags", "cursor": "x"},
        {"service": "tags", "level": "LOUD"}, {"service": "tags", "limit": "501"}, {"service": "tags", "job": "x" * 65},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(logged: World, asked: dict[str, str]) -> None:
    """With what to do instead."""
    assert logged.as_user("root").get(LOGS, params=asked).status_code == 400


def test_a_cursor_of_another_log_is_refused(logged: World) -> None:
    """A place in one is none in another."""
    client = logged.as_user("root")
    cursor = client.get(LOGS, params={"service": "tags", "limit": 1}).json()["next_cursor"]

    assert client.get(LOGS, params={"service": "api", "cursor": cursor}).status_code == 400


@pytest.mark.parametrize("name", ["", *(f"/{about}" for about in ABOUT)])
def test_logs_are_for_administrators(logged: World, name: str) -> None:
    """403 for others, 401 for nobody."""
    assert logged.client().get(LOGS + name).status_code == 401
    assert logged.as_user("ann").get(LOGS + name).status_code == 403
    assert logged.as_user("root").get(LOGS + name).status_code == 200


def test_a_line_that_is_none_is_passed_over(logged: World) -> None:
    """Half a line at the end, or what somebody wrote into the file by hand."""
    with (logs_dir(logged.settings.root) / "api.log").open("ab") as file:
        file.write(b"by hand\n{}\n" + json.dumps(line(7, "api")).encode() + b"\nhalf a li")

    assert numbers(next(paged(logged, service="api"))) == [7, 2, 1, 0]


@STEADY
@given(
    lengths=st.lists(st.one_of(st.integers(0, 50), st.integers(BLOCK - 5, 2 * BLOCK + 5)), max_size=12),
    rest=st.integers(0, 9),
)
def test_backwards_are_the_lines_that_forwards_are(lengths: list[int], rest: int) -> None:
    """With their positions, however long they are; a last one that has not ended is left out."""
    lines = [bytes([97 + number % 26]) * length for number, length in enumerate(lengths)]
    text = b"".join(one + b"\n" for one in lines) + b"z" * rest

    found = list(backwards(BytesIO(text), len(text)))

    assert [one for _, one in reversed(found)] == lines
    assert all(text[at : at + len(one) + 1] == one + b"\n" for at, one in found)
