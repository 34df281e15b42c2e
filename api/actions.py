"""The Library actions over HTTP: each starts a job over one's own library, or says what it would do.

What an action does is `batch/actions.py`'s business; following and steering its job is `jobs.py`'s.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from litestar import Response, Router, post
from litestar.params import FromPath, JSONBody, QueryParameter

from api.access import USER
from api.deps import Deps, Given, Me
from api.job_view import JobView, viewed
from batch.discover import inside
from batch.forelisting import forelist
from batch.foresight import foresee
from batch.plan import Plan
from batch.turns import DELETE_MISSING, SAVE_METADATA, SCAN, SCAN_NEXTCLOUD
from batch.unsaving import undoable
from cluster.errors import Invalid
from cluster.store.choices import in_use
from cluster.store.users import User

MOST_PATHS = 1000
SCAN_BYTES = 5 * 2**20  # a request's body: that many long paths
DryRun: TypeAlias = Annotated[bool, QueryParameter(description="true: only say what the action would do now")]
Answer: TypeAlias = Response[JobView] | Response[Plan]


class Scan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to scan: what changed, everything again, or only some paths below the scan directory."""

    full: bool = False
    paths: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]], msgspec.Meta(max_length=MOST_PATHS)
    ] = []


class ScanNextcloud(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of the chosen folders to scan: what changed, or every file again."""

    full: bool = False


class DeleteMissing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many photos are to be deleted, where the dry run asks for that number."""

    confirm: Annotated[int, msgspec.Meta(ge=1)] | None = None


class SaveMetadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to write: into the originals, or into sidecars beside them; or which job's writing is to be undone."""

    in_file: bool = False
    undo: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | msgspec.UnsetType = msgspec.UNSET


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is nothing to say."""


@post(
    "/scan", opt=USER, sync_to_thread=True, status_code=202,
    request_max_body_size=SCAN_BYTES, summary="Scan one's folder",
)  # fmt: skip
def scan(deps: Given, user: Me, data: JSONBody[Scan | None] = None, dry_run: DryRun = False) -> Answer:
    """Start a scan, or get the one that does this already; 409 while one that was asked for otherwise is under way.

    Follow it at /api/jobs/{id} or /api/jobs/events.
    """
    asked = data or Scan()
    folder = os.fsencode(user.scan_directory)
    paths = [os.fsdecode(inside(folder, path)) for path in asked.paths] if folder else []
    return act(deps, user, SCAN, {"full": asked.full, "paths": paths}, dry_run)


@post("/scan-nextcloud", opt=USER, sync_to_thread=True, status_code=202, summary="Scan one's Nextcloud")
def scan_nextcloud(
    deps: Given, user: Me, data: JSONBody[ScanNextcloud | None] = None, dry_run: DryRun = False
) -> Answer:
    """Start fetching and scanning what is new in the chosen folders; 409 while none is connected, or none chosen."""
    if dry_run:
        plan = forelist(deps.settings, deps.system, deps.library(user.user_id), user.user_id)
        return Response(plan, status_code=200)
    return act(deps, user, SCAN_NEXTCLOUD, msgspec.to_builtins(data or ScanNextcloud()), dry_run)


@post("/delete-missing", opt=USER, sync_to_thread=True, status_code=202, summary="Move missing photos into the trash")
def delete_missing(
    deps: Given, user: Me, data: JSONBody[DeleteMissing | None] = None, dry_run: DryRun = False
) -> Answer:
    """Start taking the photos out of the library whose files are gone; the job's `undo` says how to get them back.

    Look at the dry run first: it lists them, or says why they would stay.
    """
    return act(deps, user, DELETE_MISSING, msgspec.to_builtins(data or DeleteMissing()), dry_run)


@post(
    "/save-metadata", opt=USER, sync_to_thread=True, status_code=202, summary="Write what is known beside the originals"
)
def save_metadata(deps: Given, user: Me, data: JSONBody[SaveMetadata | None] = None, dry_run: DryRun = False) -> Answer:
    """Start writing ratings, titles, captions, tags, people, places and dates to sidecars, or into the files.

    With `undo`, the id of such a job, files become what they were before it; those changed since stay, with a reason.
    """
    asked = data or SaveMetadata()
    if asked.undo is msgspec.UNSET:
        return act(deps, user, SAVE_METADATA, msgspec.to_builtins(asked), dry_run)
    if asked.in_file:
        raise Invalid("Say either in_file, to write, or undo, to take back what a job wrote.")
    job = undoable(deps.system, user.user_id, str(asked.undo))
    return act(deps, user, SAVE_METADATA, {"undo": job.job_id}, dry_run)


@post("/{action:str}", opt=USER, sync_to_thread=True, status_code=202, summary="Work on people or events")
def start_action(
    action: FromPath[Literal["train-faces", "rescan-faces", "generate-events"]], deps: Given, user: Me,
    data: JSONBody[Nothing | None] = None, dry_run: DryRun = False,
) -> Answer:  # fmt: skip
    """Start an action over all of one's library, or get the job that is at it already."""
    return act(deps, user, action, {}, dry_run)


def act(deps: Deps, user: User, action: str, arguments: dict[str, Any], dry_run: bool) -> Answer:
    """The job that does an action, or its plan; blocks."""
    if dry_run:
        settings = in_use(deps.settings, deps.system.choices.all())
        root = Path(user.scan_directory) if user.scan_directory else None
        plan = foresee(settings, deps.library(user.user_id), root, action, arguments)
        return Response(plan, status_code=200)
    job = deps.jobs.start(user.user_id, action, arguments, user.user_id)
    told = viewed(job, deps.jobs, deps.library, deps.settings)
    return Response(told, status_code=202, headers={"Location": f"/api/jobs/{job.job_id}"})


ROUTES = Router(
    "/api/library/actions",
    route_handlers=[scan, scan_nextcloud, delete_missing, save_metadata, start_action],
    tags=["library"],
)
