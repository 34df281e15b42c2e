"""Jobs over HTTP: one's own (an administrator's: all), how they go, what failed, and the four words that steer them.

What a job does, and how it stops, is `batch/jobs.py`'s business.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from lancedb.expr import Expr, col, lit
from litestar import Request, Router, get, post
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, QueryParameter, SkipValidation
from litestar.response import ServerSentEvent, ServerSentEventMessage

from api.access import USER
from api.deps import Deps, Given, JobControl, Me
from api.feed import Feed
from api.job_view import JobView, viewed
from api.logins import Logins
from api.paging import Cursor, Limit, decode, encode
from batch.turns import ANALYSE
from cluster.errors import Denied, NotFound
from cluster.store.jobs import LIVE, Job, State, job_of
from cluster.store.users import User

Doors = NamedDependency[SkipValidation[Logins]]
News = NamedDependency[SkipValidation[Feed]]
LastEventId = Annotated[str, HeaderParameter(name="Last-Event-ID", max_length=64, description="the last event seen")]
ActionName = Annotated[
    Literal["scan", "analyse", "train-faces", "rescan-faces", "generate-events", "delete-missing", "save-metadata"]
    | None,
    QueryParameter(description="only jobs of this action"),
]
States = Annotated[list[State] | None, QueryParameter(name="state", description="only jobs in this state; repeatable")]

NEWEST = 200  # jobs, by when they were asked for and by when they ended, whose changes are looked for
STEPS: dict[str, Callable[[JobControl, str, str], Job]] = {
    "pause": lambda control, job_id, by: control.pause(job_id),
    "resume": lambda control, job_id, by: control.resume(job_id),
    "cancel": lambda control, job_id, by: control.cancel(job_id),
    "retry": lambda control, job_id, by: control.retry(job_id, by),
}


class JobPage(msgspec.Struct, frozen=True):
    """Some jobs, newest first, and where the next page begins."""

    jobs: list[JobView]
    next_cursor: str | None


class JobError(msgspec.Struct, frozen=True):
    """What a job could not do with one file, and why."""

    error_id: str
    file_id: str
    photo_id: str
    name: str
    stage: str
    reason: str
    at: datetime


class ErrorPage(msgspec.Struct, frozen=True):
    """Some of a job's errors, and where the next page begins."""

    errors: list[JobError]
    next_cursor: str | None


@get("/", opt=USER, sync_to_thread=True, summary="Jobs, newest first")
def list_jobs(
    deps: Given, user: Me, states: States = None, action: ActionName = None, limit: Limit = None, cursor: Cursor = "",
    owner: Annotated[str, QueryParameter(max_length=64, description="only this user's; `me`: one's own")] = "",
) -> JobPage:  # fmt: skip
    """A page of one's own jobs; an administrator sees everybody's, or those of one `owner`."""
    size = limit or deps.settings.api.page_size
    position = decode(cursor, tuple[datetime, str])
    where = (lit(True) if user.admin else col("owner") == lit(user.user_id)) & older(position)
    where = where & among("owner", [user.user_id if owner == "me" else owner] if owner else ())
    where = where & among("state", states or ()) & among("action", [action] if action else ())
    rows = deps.system.jobs.table.rows(where, limit=size + 1, order_by="created_at", descending=True).to_pylist()
    jobs = [job_of(row) for row in rows[:size]]
    following = encode((jobs[-1].created_at, jobs[-1].job_id)) if len(rows) > size else None
    return JobPage([viewed(job, deps.jobs, deps.library, deps.settings) for job in jobs], following)


@get("/{job_id:str}", opt=USER, sync_to_thread=True, summary="One job")
def show_job(job_id: FromPath[str], deps: Given, user: Me) -> JobView:
    """A job with its progress."""
    return viewed(owned_job(deps, user, job_id), deps.jobs, deps.library, deps.settings)


@get("/{job_id:str}/errors", opt=USER, sync_to_thread=True, summary="What failed in a job")
def list_errors(job_id: FromPath[str], deps: Given, user: Me, limit: Limit = None, cursor: Cursor = "") -> ErrorPage:
    """A page of the files and stages that failed, each with its reason."""
    job = owned_job(deps, user, job_id)
    size = limit or deps.settings.api.page_size
    after = decode(cursor, str) or ""
    rows = deps.library(job.owner).errors.of_job(job_id, size + 1, after).to_pylist()
    errors = [msgspec.convert(row, JobError) for row in rows[:size]]
    return ErrorPage(errors, encode(errors[-1].error_id) if len(rows) > size else None)


@post("/{job_id:str}/{step:str}", opt=USER, sync_to_thread=True, status_code=200, summary="Steer a job")
def steer_job(
    job_id: FromPath[str], step: FromPath[Literal["pause", "resume", "cancel", "retry"]], deps: Given, user: Me
) -> JobView:
    """Pause, resume or cancel a job, or retry what failed in it; 409 when its state does not allow it."""
    job = owned_job(deps, user, job_id)
    if job.action == ANALYSE and not user.admin:
        raise Denied("This job is of a change of models, which all libraries wait for. An administrator can steer it.")
    return viewed(STEPS[step](deps.jobs, job.job_id, user.user_id), deps.jobs, deps.library, deps.settings)


@get("/events", opt=USER, summary="Changes of jobs, live", media_type="text/event-stream")
async def job_events(
    request: Request[Any, Any, Any], user: Me, feed: News, logins: Doors, last_event_id: LastEventId = ""
) -> ServerSentEvent:
    """Server-sent events named `job`, each one of one's own jobs as it is now. Resumes after Last-Event-ID."""
    token = request.auth.token

    async def allowed() -> bool:
        return logins.seen(token) is not None or await asyncio.to_thread(logins.find, token) is not None

    changes = feed.changes(user.user_id, last_event_id, allowed)
    # A client that goes away while it is being written to leaves the generator where it is: end it here.
    return ServerSentEvent(messages(changes), background=BackgroundTask(changes.aclose))


async def messages(changes: AsyncIterator[tuple[str, JobView] | None]) -> AsyncIterator[ServerSentEventMessage]:
    """Changes as they go over the wire."""
    async for change in changes:
        if change is None:
            yield ServerSentEventMessage(data=None, comment="still here")
        else:
            event_id, job = change
            yield ServerSentEventMessage(data=msgspec.json.encode(job), event="job", id=event_id)


def owned_job(deps: Deps, user: User, job_id: str) -> Job:
    """A job of this user, any job for an administrator; raises NotFound, the same for another's as for none."""
    job = deps.system.jobs.get(job_id)
    if job.owner != user.user_id and not user.admin:
        raise NotFound("There is no such job.")
    return job


def among(column: str, values: Sequence[str]) -> Expr:
    """Lets jobs through that have one of the values, or all of them when there are none."""
    return col(column).isin(list(values)) if values else lit(True)


def older(position: tuple[datetime, str] | None) -> Expr:
    """Lets jobs through that come after a position, newest first."""
    if position is None:
        return lit(True)
    created_at, job_id = position
    same = (col("created_at") == lit(created_at)) & (col("job_id") < lit(job_id))
    return (col("created_at") < lit(created_at)) | same


def looked_at(deps: Deps) -> list[JobView]:
    """The jobs that may have changed: those that have not ended, the newest, and those that ended last; blocks."""
    jobs = deps.system.jobs
    looks = [jobs.list(limit=NEWEST), jobs.list(limit=NEWEST, states=LIVE), jobs.ended_last(NEWEST)]
    found = {job.job_id: job for look in looks for job in look}  # a later look knows better
    return [viewed(job, deps.jobs, deps.library, deps.settings) for job in found.values()]


ROUTES = Router("/api/jobs", route_handlers=[list_jobs, show_job, list_errors, steer_job, job_events], tags=["jobs"])
