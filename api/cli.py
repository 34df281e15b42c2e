"""`brightroom`: the command line. Reads the settings once and hands them on; `--json` prints for programs.

Talks to the store and the cluster directly, as the user whose files they are; the HTTP API is for everybody else.
What needs Ray or a model is imported by the command that needs it: `brightroom stats` must not wait for torch.
The commands that run Library actions are in `commands.py`, those about a Nextcloud in `nextcloud_commands.py`.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from api import commands, show
from api.accounts import chosen, new_user
from api.nextcloud_commands import nextcloud
from api.signals import end_in_order, end_within
from api.terminal import chosen_settings, complain, out, say
from cluster.errors import BrightroomError
from cluster.sealing import forget_handed, take_over
from cluster.settings import KEYS_VARIABLE, SERVICES, Settings
from cluster.store.choices import in_use
from cluster.store.database import open_library, open_system

if TYPE_CHECKING:
    from api.http_server import HttpServer

ALL = "all"  # every service
FAREWELL_S = 6  # how long `up` may take to end when Ray is gone: what was asked of Ray may never be answered
ALIASES = {
    "createuser": "create-user", "createadmin": "create-admin", "create_user": "create-user",
    "create_admin": "create-admin", "build_similarity_index": "build-similarity-index",
    "start_service": "start-service", "stop_service": "stop-service", "save_metadata": "save-metadata",
    "clear_cache": "clear-cache",
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
    context.meta[KEYS_VARIABLE] = take_over(
        context.obj, os.environ
    )  # first of all: nothing that is started inherits them


@main.command()
@click.option("--host", help="Address to listen on; otherwise api.host of the settings.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; otherwise api.port of the settings.")
@click.pass_context
def up(context: click.Context, host: str | None, port: int | None) -> None:
    """Start Brightroom and stay until Ctrl-C, which stops all that it started."""

    from api.http_server import HttpServer, listening
    from api.setup import Setup, invitation
    from api.up import running, served_once
    from cluster.logs import configure

    settings: Settings = context.obj
    end_in_order()
    configure(settings, "api", prints_are_kept=False)
    address = host or settings.api.host, settings.api.port if port is None else port
    with served_once(settings), listening(*address) as door:
        if not context.meta[KEYS_VARIABLE]:
            forget_handed(settings)  # those of an earlier start
        with running(settings, say) as brightroom:
            server = HttpServer(brightroom.application(), *address, door)
            brightroom.on_loss(lambda: lost(settings, server))
            say(f"Brightroom answers at [bold]{server.url}[/]  (API docs: {server.url}/schema)")
            for told in invitation(Setup(settings, brightroom.system), server.url):
                say(told)
            server.answer()


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
@click.argument("name", required=False)
@click.option("--directory", type=click.Path(path_type=Path, resolve_path=True), help="The folder of their originals.")
@click.option("--admin", is_flag=True, help="Let them administrate.")
@click.pass_obj
def create_user(settings: Settings, name: str | None, directory: Path | None, admin: bool) -> None:
    """Create a user. The password is asked for, or read from standard input when that is no terminal."""
    user = new_user(settings, name or click.prompt("Name", err=True), directory, admin)
    say(f"created the user [bold]{user.name}[/]")


@main.command("create-admin")
@click.argument("name", default="admin")
@click.option("--directory", type=click.Path(path_type=Path, resolve_path=True), help="The folder of their originals.")
@click.pass_obj
def create_admin(settings: Settings, name: str, directory: Path | None) -> None:
    """Create an administrator. The password is asked for, or read from standard input when that is no terminal."""
    say(f"created the administrator [bold]{new_user(settings, name, directory, admin=True).name}[/]")


@main.command("start-service")
@click.argument("name", type=click.Choice([*SERVICES, ALL]), default=ALL)
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


for command in (*commands.ALL, nextcloud):
    main.add_command(command)


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


if __name__ == "__main__":
    main()
