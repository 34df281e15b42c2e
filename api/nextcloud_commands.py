"""The commands about a user's Nextcloud, for who works in a shell: the same as the HTTP API does, for one user.

A password is asked for, or read from standard input: a command line can be read by everybody on the machine.
"""

import sys
from typing import Any

import rich_click as click
from rich.markup import escape

from api import show
from api.accounts import chosen
from api.commands import Option, json
from api.terminal import out, say
from cluster.errors import Invalid
from cluster.settings import Settings
from cluster.store.database import System, open_system
from cluster.store.paths import display
from cluster.store.sources import Source

of_user: Option = click.option("--user", help="Whose Nextcloud; needed when there are several users.")


@click.group("nextcloud")
def nextcloud() -> None:
    """Connect a user's Nextcloud, choose folders of it, see how it is, disconnect it."""


@nextcloud.command()
@click.argument("server")
@click.argument("login")
@of_user
@click.pass_obj
def connect(settings: Settings, server: str, login: str, user: str | None) -> None:
    """Connect the account LOGIN on SERVER (https://cloud.example).

    The password is asked for, or read from standard input when that is no terminal: an app password, made in
    Nextcloud's security settings.
    """
    from batch.connections import Connections

    system = open_system(settings)
    owner = chosen(system, user)
    source = Connections(settings, system).connect(owner.user_id, server, login, asked_password())
    account = f"{escape(source.server)} as {escape(source.login)}"
    say(f"connected to {account}; `brightroom nextcloud choose` says what is scanned")


@nextcloud.command()
@of_user
@json
@click.pass_obj
def status(settings: Settings, user: str | None, as_json: bool) -> None:
    """How the connection is, asked now. Exit status 1 when it does not work."""
    from batch.connections import Connections

    system = open_system(settings)
    source = Connections(settings, system).check(chosen(system, user).user_id)
    if as_json:
        show.plain(out, source)
    else:
        out.print(*told(source), sep="\n")
    sys.exit(0 if source.state == "connected" else 1)


@nextcloud.command()
@click.argument("path", default="")
@of_user
@json
@click.pass_obj
def folders(settings: Settings, path: str, user: str | None, as_json: bool) -> None:
    """The folders in the folder PATH on the server; without it, the topmost."""
    from api.nextcloud_view import folders_of
    from batch.connections import Connections

    system, source = connection(settings, user)
    seen = folders_of(Connections(settings, system), source, path)
    if as_json:
        show.plain(out, seen)
        return
    for one in seen.folders:
        count = f"  ({one.count})" if one.count >= 0 else ""
        out.print(f"{'*' if one.chosen else ' '} {visible(one.path)}{count}")


@nextcloud.command()
@click.argument("paths", nargs=-1)
@click.option("--everything", is_flag=True, help="Scan all there is on the server.")
@click.option("--exclude", "excludes", multiple=True, help="Leave out what matches this; more may follow.")
@of_user
@click.pass_obj
def choose(
    settings: Settings, paths: tuple[str, ...], everything: bool, excludes: tuple[str, ...], user: str | None
) -> None:
    """Scan the folders PATHS with all below them, and nothing else from now on."""
    from api.nextcloud_view import checked_path

    if bool(paths) == everything:
        raise click.UsageError("name folders, as `brightroom nextcloud folders` tells them, or say --everything")
    system, source = connection(settings, user)
    wanted = [""] if everything else sorted({checked_path(path) for path in paths})
    system.sources.choose(source.user_id, wanted, excludes, source.keep_originals)
    say(f"{len(wanted)} chosen; `brightroom scan --nextcloud` scans them")


@nextcloud.command()
@click.option("--keep", is_flag=True, help="The photos from there stay in the library.")
@of_user
@click.pass_obj
def disconnect(settings: Settings, keep: bool, user: str | None) -> None:
    """Forget the account and its password. A scan of it that is under way is cancelled."""
    from batch.connections import Connections, cancel_scans
    from batch.jobs import JobControl

    if not keep:
        raise click.UsageError("say that the photos stay: --keep; to move them into the trash, use the HTTP API")
    system, source = connection(settings, user)
    cancel_scans(system, JobControl(settings, system).cancel, source.user_id)
    revoked = Connections(settings, system).disconnect(source.user_id)
    rest = "its app password is void" if revoked else "the app password can be taken back in Nextcloud's settings"
    say(f"disconnected from {escape(source.server)}; {rest}")


def connection(settings: Settings, user: str | None) -> tuple[System, Source]:
    """The store, and a user's connection; raises NotFound."""
    system = open_system(settings)
    return system, system.sources.get(chosen(system, user).user_id)


def told(source: Source) -> list[str]:
    """A connection for people."""
    colour = "green" if source.state == "connected" else "red"
    lines = [
        f"[{colour}]{source.state}[/]  {escape(source.server)} as {escape(source.login)}  {source.version}",
        f"scanned: {', '.join(visible(path) or 'everything' for path in source.folders) or 'nothing yet'}",
    ]
    return [*lines, escape(source.told)] if source.told else lines


def visible(path: str) -> str:
    """A path that a server told, as a terminal may show it."""
    return escape(display(path.encode(errors="surrogatepass")))


def asked_password() -> str:
    """An app password from the terminal, or the first line of standard input; raises Invalid for none."""
    typed: Any = click.prompt("App password", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    if password := str(typed).strip():
        return password
    raise Invalid("no password was given; make an app password in Nextcloud's security settings")
