"""The commands that run Library actions and upkeep, for everybody or one user: done with progress, or only foreseen.

Exit status: 0 when all is done, 1 when something is not, 2 for words that make no command.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import rich_click as click

from api import show
from api.accounts import chosen, owner_to_scan
from api.terminal import announce_admin, at_hand, complain, out, say
from cluster.errors import Invalid, ServiceError
from cluster.settings import Settings
from cluster.store.choices import in_use
from cluster.store.database import System, open_library, open_system
from cluster.store.jobs import Job
from cluster.store.users import User

ELSEWHERE = "these files are in nobody's folder; name files below a user's scan directory"

Option = Callable[[Any], Any]
for_user: Option = click.option("--user", help="Only this user's library; otherwise everybody's.")
dry: Option = click.option("--dry-run", is_flag=True, help="Only say what it would do.")
json: Option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@click.option("-f", "--full", is_flag=True, help="Do every stage again for every file.")
@click.option("-n", "--nextcloud", is_flag=True, help="Scan the users' Nextclouds instead of their folders.")
@click.option("-s", "--path", "paths", multiple=True, help="Scan just this file again; more may follow.")
@click.argument("more", nargs=-1)
@for_user
@click.option(
    "--directory", type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    help="Make this the user's folder of originals, now and from now on.",
)  # fmt: skip
@dry
@json
@click.pass_obj
def scan(
    settings: Settings, full: bool, nextcloud: bool, paths: tuple[str, ...], more: tuple[str, ...], user: str | None,
    directory: Path | None, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Scan the users' folders: new and changed photos join their libraries.

    Ctrl-C pauses the scan; scanning again goes on from there.
    """
    if more and not paths:
        raise click.UsageError("name files with -s; without it, everything is scanned")
    system = open_system(settings)
    announce_admin(system)
    if nextcloud:
        if paths or directory:
            raise click.UsageError("a scan of a Nextcloud takes neither files nor a directory; choose folders there")
        owners = [chosen(system, user)] if user else connected(system)
        told = {owner.user_id: {"full": full} for owner in owners}
        act(settings, system, owners, "scan-nextcloud", told, dry_run, as_json)  # which ends the process
    named = [whole(path) for path in (*paths, *more)]
    if user or directory:
        owners = [owner_to_scan(settings, system, user, directory)]
    else:
        owners = scanned(system, named)
        owners = owners if len(owners) > 1 else [owner_to_scan(settings, system, owners[0].name, None)]
    if not all(any(below(owner, [path]) for owner in owners) for path in named):  # without paths it would be everything
        raise Invalid(ELSEWHERE)
    arguments = {owner.user_id: {"full": full, "paths": below(owner, named)} for owner in owners}
    act(settings, system, owners, "scan", arguments, dry_run, as_json)


@click.command("train-faces")
@for_user
@dry
@json
@click.pass_obj
def train_faces(settings: Settings, user: str | None, dry_run: bool, as_json: bool) -> None:
    """Find out whose the faces are that nobody named; what people said stays."""
    everybody(settings, user, "train-faces", {}, dry_run, as_json)


@click.command("rescan-faces")
@for_user
@dry
@json
@click.pass_obj
def rescan_faces(settings: Settings, user: str | None, dry_run: bool, as_json: bool) -> None:
    """Detect faces in all photos again; what people said stays."""
    everybody(settings, user, "rescan-faces", {}, dry_run, as_json)


@click.command("generate-events")
@for_user
@dry
@json
@click.pass_obj
def generate_events(settings: Settings, user: str | None, dry_run: bool, as_json: bool) -> None:
    """Put photos that were taken together into events, with titles."""
    everybody(settings, user, "generate-events", {}, dry_run, as_json)


@click.command("delete-missing")
@for_user
@click.option("--confirm", type=click.IntRange(min=1), help="So many may go, though they are strikingly many.")
@dry
@json
@click.pass_obj
def delete_missing(settings: Settings, user: str | None, confirm: int | None, dry_run: bool, as_json: bool) -> None:
    """Move photos whose files are gone to the trash, from which they can be restored for 30 days."""
    everybody(settings, user, "delete-missing", {"confirm": confirm}, dry_run, as_json)


@click.command("save-metadata")
@for_user
@click.option("--in-file", is_flag=True, help="Into the files themselves rather than into sidecars beside them.")
@click.option("--undo", metavar="JOB", help="Make files what they were before that save-metadata (`brightroom jobs`).")
@dry
@json
@click.pass_obj
def save_metadata(
    settings: Settings, user: str | None, in_file: bool, undo: str | None, dry_run: bool, as_json: bool
) -> None:
    """Write ratings, titles, captions, tags, people, places and dates back: to XMP sidecars, or into the files."""
    if undo and in_file:
        raise click.UsageError("say either --in-file, to write, or --undo, to take back what a job wrote")
    if undo:
        from batch.unsaving import undoable

        system = open_system(settings)
        owner = chosen(system, user) if user else system.users.get(system.jobs.get(undo).owner)
        told = {owner.user_id: {"undo": undoable(system, owner.user_id, undo).job_id}}
        act(settings, system, [owner], "save-metadata", told, dry_run, as_json)  # which ends the process
    everybody(settings, user, "save-metadata", {"in_file": in_file}, dry_run, as_json)


@click.command("build-similarity-index")
@for_user
@json
@click.pass_obj
def build_similarity_index(settings: Settings, user: str | None, as_json: bool) -> None:
    """Build the indexes that keep search quick in large libraries."""
    from cluster.writer import RemoteWriter

    system = open_system(settings)
    owners = [chosen(system, user)] if user else system.users.list()
    with at_hand(settings):
        for owner in owners:
            RemoteWriter(settings, owner.user_id).build_indexes()
            if not as_json:
                say(f"indexed the library of {owner.name}")
    if as_json:
        show.plain(out, {"indexed": [owner.name for owner in owners]})


@click.command("clear-cache")
@click.option(
    "--all", "everything", is_flag=True,
    help="All thumbnails and previews too whose original is there: they are made again when somebody looks.",
)  # fmt: skip
@dry
@json
@click.pass_obj
def clear_cache(settings: Settings, everything: bool, dry_run: bool, as_json: bool) -> None:
    """Delete what can be made again: pictures that no photo shows, and what is left of uploads and composed weights."""
    from api.cache import cache, clear

    found = cache(settings, everything)
    if not dry_run:
        clear(settings, found.freed)
    show.cleared(out, found, dry_run, as_json)


def everybody(
    settings: Settings, user: str | None, action: str, arguments: dict[str, Any], dry_run: bool, as_json: bool
) -> None:
    """Run an action for a user, or for each who has a folder."""
    system = open_system(settings)
    owners = [chosen(system, user)] if user else scanned(system, [])
    act(settings, system, owners, action, {owner.user_id: arguments for owner in owners}, dry_run, as_json)


def act(
    settings: Settings, system: System, owners: Sequence[User], action: str, arguments: dict[str, dict[str, Any]],
    dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Run an action for some users and tell how it ended for each; or only what it would do. Ends the process."""
    if dry_run:
        plans = [plan(settings, system, owner, action, arguments[owner.user_id]) for owner in owners]
        show.plans(out, list(zip([owner.name for owner in owners], plans, strict=True)), as_json)
        sys.exit(1 if any(one.refused for one in plans) else 0)
    with at_hand(settings) as brightroom:
        ended = [job for owner in owners if (job := done(brightroom, owner, action, arguments, len(owners), as_json))]
    show.ended(out, [(job, open_library(settings, job.owner)) for job in ended], as_json)
    sys.exit(0 if len(ended) == len(owners) and all(job.state in ("done", "paused") for job in ended) else 1)


def done(
    brightroom: Any, owner: User, action: str, arguments: dict[str, dict[str, Any]], owners: int, as_json: bool
) -> Job | None:
    """An action's job for a user as it ended; None when it is refused, which is said and hinders no other user's."""
    from api.follow import follow

    try:
        job = brightroom.jobs.start(owner.user_id, action, arguments[owner.user_id])
    except ServiceError as error:
        if owners == 1:
            raise
        complain(f"{owner.name}: {error}")
        return None
    return follow(brightroom.jobs, job.job_id, None if as_json else out)


def plan(settings: Settings, system: System, owner: User, action: str, arguments: dict[str, Any]) -> Any:
    """What an action would do to a user's library."""
    from batch.forelisting import forelist
    from batch.foresight import foresee

    if action == "scan-nextcloud":
        return forelist(settings, system, open_library(settings, owner.user_id), owner.user_id)
    root = Path(owner.scan_directory) if owner.scan_directory else None
    models = in_use(settings, system.choices.all())
    return foresee(models, open_library(settings, owner.user_id), root, action, arguments)


def scanned(system: System, paths: Sequence[str]) -> list[User]:
    """The users who have a folder, of some files those in whose folders they lie; raises Invalid for nobody."""
    users = system.users.list()
    if len(users) == 1:
        return users
    owners = [user for user in users if user.scan_directory and not user.disabled and (not paths or below(user, paths))]
    if not owners:
        raise Invalid(
            ELSEWHERE if paths
            else "nobody has a folder of photos yet; `brightroom scan --user NAME --directory FOLDER` sets one"
        )  # fmt: skip
    return owners


def connected(system: System) -> list[User]:
    """The users who have chosen folders of a Nextcloud; raises Invalid for nobody."""
    wanted = {source.user_id for source in system.sources.all() if source.folders}
    if owners := [user for user in system.users.list() if user.user_id in wanted and not user.disabled]:
        return owners
    raise Invalid("nobody has chosen folders of a Nextcloud yet; `brightroom nextcloud connect` connects one")


def whole(path: str) -> str:
    """A path as a scan directory is kept, without links; one that is not there from here may be below such a folder."""
    found = Path(path)
    return str(found.parent.resolve() / found.name) if found.exists() else path


def below(owner: User, paths: Sequence[str]) -> list[str]:
    """The paths that lie in a user's folder, or may, as they are not whole."""
    folder = Path(owner.scan_directory) if owner.scan_directory else None
    return [path for path in paths if folder is None or not Path(path).is_absolute() or folder in Path(path).parents]


ALL = (
    scan, train_faces, rescan_faces, generate_events, delete_missing, save_metadata,
    build_similarity_index, clear_cache,
)  # fmt: skip
