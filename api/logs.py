"""The logs over HTTP, for administrators: what there is, its last lines, and the whole of one service's.

Services are names from a fixed list: no word of a request becomes a path. Secrets were taken out when lines were
written.
"""

import logging
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Router, get
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from api.access import ADMIN
from api.deps import Given
from api.log_lines import Log, LogLine, Wanted
from api.originals import attachment
from api.paging import Cursor, Limit, decode, encode
from cluster.errors import Invalid, NotFound
from cluster.journal import pieces
from cluster.logs import ABOUT, logs_dir
from cluster.settings import Settings

Level = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] | None,
    QueryParameter(description="lines of this level and above"),
]
Service = Annotated[str, QueryParameter(max_length=64, description="whose lines; without it, only what there is")]
JobId = Annotated[str, QueryParameter(max_length=64, description="lines of this job only")]
NDJSON = "application/x-ndjson"
END = 1 << 62  # behind every journal's end


class ServiceLog(msgspec.Struct, frozen=True):
    """What is kept of one service's log."""

    service: str
    files: int
    bytes: int  # on disk, most of it compressed
    oldest: datetime | None
    newest: datetime | None


class LogPage(msgspec.Struct, frozen=True):
    """Which logs there are, some lines of one of them, newest first, and where the next page begins."""

    services: list[ServiceLog]
    lines: list[LogLine]
    next_cursor: str | None


@get("/", opt=ADMIN, sync_to_thread=True, summary="The logs, and the last lines of one")
def show_logs(
    deps: Given, service: Service = "", level: Level = None, job: JobId = "", limit: Limit = None, cursor: Cursor = ""
) -> LogPage:
    """All services' logs with their sizes and times, and a page of the lines of one; it may be short of its limit."""
    overview = [told for name in ABOUT if (told := summary_of(log_of(deps.settings, name)))]
    if not service:
        if level or job or cursor:
            raise Invalid("Say with `service` whose lines you want.")
        return LogPage(overview, [], None)
    log = log_of(deps.settings, service)
    place = decode(cursor, tuple[str, int])
    if place and place[0] != service:
        raise Invalid("This cursor is of another service's log. Start from the first page, without it.")
    size = limit or deps.settings.api.page_size
    lines, before = log.newest(place[1] if place else END, wish(level, job), size)
    return LogPage(overview, lines, None if before is None else encode((service, before)))


@get("/{service:str}", opt=ADMIN, sync_to_thread=True, summary="A service's log as a file", media_type=NDJSON)
def download_log(service: FromPath[str], deps: Given, level: Level = None) -> Stream:
    """All lines that are kept of a service's log, oldest first, each a JSON object; 404 for an unknown service."""
    log = log_of(deps.settings, service)
    headers = {"Content-Disposition": attachment(f"brightroom-{service}.ndjson"), "Cache-Control": "no-store"}
    return Stream(log.whole(wish(level, "") if level else None), headers=headers, media_type=NDJSON)


def log_of(settings: Settings, service: str) -> Log:
    """The log of a service; raises NotFound for a name that is none of ours."""
    if service not in ABOUT:
        raise NotFound(f"There is no log of that name. There are: {', '.join(ABOUT)}.")
    folder = logs_dir(settings.root)
    return Log(folder, service, pieces(folder, service))


def summary_of(log: Log) -> ServiceLog | None:
    """What is kept of a log; None where there is none."""
    if not log.pieces:
        return None
    return ServiceLog(log.service, len(log.pieces), sum(piece.size for piece in log.pieces), *log.span())


def wish(level: str | None, job: str) -> Wanted:
    """Which lines to show: of a level and above, and of a job."""
    levels = logging.getLevelNamesMapping()
    lowest = levels[level or "DEBUG"]
    return lambda line: levels.get(line.level, lowest) >= lowest and job in ("", line.job)


ROUTES = Router("/api/server/logs", route_handlers=[show_logs, download_log], tags=["server"])
