"""`brightroom`: the command line. Reads the settings once and hands them on; `--json` prints for programs.

Talks to the store and the cluster directly, as the user whose files they are; the HTTP API is for everybody else.
What needs Ray or a model is imported by the command that needs it: `brightroom stats` must not wait for torch.
"""

import os
import sys
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from rich.console import Console
from rich.markup import escape

from api import show
from api.accounts import chosen, first_admin, new_user, owner_to_scan
from api.signals import end_in_order, end_within
from cluster.errors import BrightroomError
from cluster.settings import CONFIG_VARIABLE, SERVICES, Settings, load_settings
from cluster.store.choices import in_use
from cluster.store.database import System, open_library, open_system

if TYPE_CHECKING:
    from api.http_server import HttpServer

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

ALL = "all"  # every service
FAREWELL_S = 6  # how long `up` may take to end when Ray is gone: what was asked of Ray may never be answered
ALIASES = {
    "createuser": "create-user", "createadmin": "create-admin", "create_user": "create-user",
    "create_admin": "create-admin", "build_similarity_index": "build-similarity-index",
    "start_service": "start-service", "stop_service": "stop-service",
}  # fmt: skip


class Commands(click.RichGroup):
    """The commands, also by the names that the system we learned from gives them."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """A command by its name or its other name."""
        return super().get_command(ctx, ALIASES.get(name, name))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error raised on purpose is a sentence and exit status 1."""
        try:
            return super().invoke(ctx)
        except BrightroomError as error:
            complain(str(error))
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; otherwise $BRIGHTROOM_CONFIG.")
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """A photo library that runs on a Ray cluster."""
    context.obj = chosen_settings(config)


@main.command()
@click.option("--host", help="Address to listen on; otherwise api.host of the settings.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; otherwise api.port of the settings.")
@click.pass_obj
def up(settings: Settings, host: str | None, port: int | None) -> None:
    """Start Brightroom and stay until Ctrl-C, which stops all that it started."""

    from api.http_server import HttpServer, listening
    from api.up import running, served_once
    from cluster.logs import configure

    end_in_order()
    configure(settings, "api", prints_are_kept=False)
    address = host or settings.api.host, settings.api.port if port is None else port
    with served_once(settings), listening(*address) as door:
        announce_admin(open_system(settings))
        with running(settings, say) as brightroom:
            server = HttpServer(brightroom.application(), *address, door)
            brightroom.on_loss(lambda: lost(settings, server))
            say(f"Brightroom answers at [bold]{server.url}[/]  (API docs: {server.url}/schema)")
            server.answer()


@main.command()
@click.option("-f", "--full", is_flag=True, help="Do every stage again for every file.")
@click.option("-s", "--path", "paths", multiple=True, help="Scan just this file again; may be given several times.")
@click.option("--user", help="Whose library; needed when there are several users.")
@click.option(
    "--directory", type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    help="Make this the user's folder of originals, now and from now on.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the job as JSON.")
@click.pass_obj
def scan(
    settings: Settings, full: bool, paths: tuple[str, ...], user: str | None, directory: Path | None, as_json: bool
) -> None:
    """Scan a user's folder: new and changed photos join the library.

    Ctrl-C pauses the scan; scanning again goes on from there.
    """

    from api.follow import follow

    system = open_system(settings)
    announce_admin(system)
    owner = owner_to_scan(settings, system, user, directory)
    given = [str(Path(path).absolute()) if Path(path).exists() else path for path in paths]
    with at_hand(settings) as brightroom:
        job = brightroom.jobs.start(owner.user_id, "scan", {"full": full, "paths": given})
        if job.state in ("paused", "interrupted"):
            job = brightroom.jobs.resume(job.job_id)
        ended = follow(brightroom.jobs, job.job_id, None if as_json else out)
    library = open_library(settings, owner.user_id)
    show.job(out, ended, library, as_json)
    sys.exit(0 if ended.state in ("done", "paused") else 1)


@main.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--user", help="Whose library; needed when there are several users.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many photos at most."
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the hits as JSON.")
@click.pass_obj
def search(settings: Settings, text: tuple[str, ...], user: str | None, limit: int, as_json: bool) -> None:
    """Find photos by what they show, where they were taken, what is written in them or how they are called."""
    from api.local_search import found

    system = open_system(settings)
    library, models = open_library(settings, chosen(system, user).user_id), in_use(settings, system.choices.all())
    show.hits(out, found(models, library, " ".join(text), limit), as_json)


@main.command()
@click.option("--user", help="Whose library; needed when there are several users.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_obj
def stats(settings: Settings, user: str | None, as_json: bool) -> None:
    """What is in a library: photos, days, videos, faces, missing, storage, work still to do."""
    system = open_system(settings)
    library = open_library(settings, chosen(system, user).user_id)
    show.stats(out, library, in_use(settings, system.choices.all()), as_json)


@main.command()
@click.option("--user", help="Only this user's jobs.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many jobs at most."
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the jobs as JSON.")
@click.pass_obj
def jobs(settings: Settings, user: str | None, limit: int, as_json: bool) -> None:
    """The jobs there were, newest first, and how each is."""
    from batch.jobs import JobControl

    system = open_system(settings)
    owner = chosen(system, user).user_id if user else None
    JobControl(settings, system).reap()  # a row does not know that its process is gone
    show.jobs(out, system, system.jobs.list(owner, limit), as_json)


@main.command("create-user")
@click.argument("name")
@click.option("--directory", type=click.Path(path_type=Path, resolve_path=True), help="The folder of their originals.")
@click.option("--admin", is_flag=True, help="Let them administrate.")
@click.pass_obj
def create_user(settings: Settings, name: str, directory: Path | None, admin: bool) -> None:
    """Create a user. The password is asked for, or read from standard input when that is no terminal."""
    say(f"created the user [bold]{new_user(settings, name, directory, admin).name}[/]")


@main.command("create-admin")
@click.argument("name", default="admin")
@click.option("--directory", type=click.Path(path_type=Path, resolve_path=True), help="The folder of their originals.")
@click.pass_obj
def create_admin(settings: Settings, name: str, directory: Path | None) -> None:
    """Create an administrator. The password is asked for, or read from standard input when that is no terminal."""
    say(f"created the administrator [bold]{new_user(settings, name, directory, admin=True).name}[/]")


@main.command("build-similarity-index")
@click.option("--user", help="Only this user's library.")
@click.pass_obj
def build_similarity_index(settings: Settings, user: str | None) -> None:
    """Build the indexes that keep search quick in large libraries."""
    from cluster.writer import RemoteWriter

    system = open_system(settings)
    owners = [chosen(system, user)] if user else system.users.list()
    with at_hand(settings):
        for owner in owners:
            RemoteWriter(settings, owner.user_id).build_indexes()
            say(f"indexed the library of {owner.name}")


@main.command("start-service")
@click.argument("name", type=click.Choice([*SERVICES, ALL]))
@click.pass_obj
def start_service(settings: Settings, name: str) -> None:
    """Want a service running, or all of them, now and after every restart, and wait until it answers."""
    from api.steering import start

    start(settings, named(name), say)


@main.command("stop-service")
@click.argument("name", type=click.Choice([*SERVICES, ALL]))
@click.pass_obj
def stop_service(settings: Settings, name: str) -> None:
    """Want a service stopped, or all of them, until somebody starts it; scans leave its work for later."""
    from api.steering import stop

    stop(settings, named(name), say)


def lost(settings: Settings, server: "HttpServer") -> None:
    """Have `up` end, now that Ray is gone."""
    from api.up import epitaph
    from cluster.head import sweep

    def last_words() -> None:
        complain(epitaph(settings))
        if not settings.ray.address:
            sweep(settings)  # what is left of a head of ours: nobody waits for it any more

    end_within(FAREWELL_S, last_words)
    server.stop()


def named(service: str) -> list[str]:
    """The services that a word of the command line means."""
    return list(SERVICES) if service == ALL else [service]


def complain(sentence: str) -> None:
    """Tell the person why the command ends."""
    say(f"[red]brightroom:[/] {escape(sentence)}")


def say(text: str) -> None:
    """Tell the person something, beside the output; nobody where the terminal is gone."""
    with suppress(OSError):
        err.print(text)


def chosen_settings(config: Path | None) -> Settings:
    """The settings of a file, or of the environment; our jobs and services, which read them again, find the same."""
    if config:
        os.environ[CONFIG_VARIABLE] = str(config.resolve())
    return load_settings()


def announce_admin(system: System) -> None:
    """On a first start, create the administrator and show the password once."""
    if password := first_admin(system):
        say(f"created the user [bold]admin[/] with the password [bold]{password}[/] - it is not shown again")


def at_hand(settings: Settings) -> AbstractContextManager[Any]:
    """Brightroom for as long as the block runs: shared with who runs it already, or started."""
    from api.up import joined, running

    end_in_order()
    return joined(settings, say) if settings.ray.address else running(settings, say)


if __name__ == "__main__":
    main()
