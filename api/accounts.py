"""Users as the command line names, makes and asks for them. The HTTP API's users are `users.py`'s."""

import secrets
import sys
from pathlib import Path

import rich_click as click

from api.passwords import Passwords
from cluster.errors import Invalid
from cluster.settings import Settings
from cluster.store.database import System, open_system
from cluster.store.users import User


def new_user(settings: Settings, name: str, directory: Path | None, admin: bool) -> User:
    """Create a user with a password that is asked for."""
    system = open_system(settings)
    folder = checked(settings, directory) if directory else ""
    password = asked_password()
    return system.users.create(name, Passwords().hash(password), admin, folder)


def checked(settings: Settings, directory: Path) -> str:
    """A folder of originals as it is kept; raises Invalid for one that the API would refuse too."""
    from api.users import checked_folder

    if not directory.is_dir():
        raise Invalid(f"the folder {directory} is not there; create it, or name another")
    return checked_folder(str(directory), settings)


def owner_to_scan(settings: Settings, system: System, user: str | None, directory: Path | None) -> User:
    """Whose library is to be scanned, their folder set where one is named; raises Invalid while they have none."""
    owner = chosen(system, user)
    if directory:
        system.users.set_scan_directory(owner.user_id, checked(settings, directory))
        return system.users.get(owner.user_id)
    if not owner.scan_directory:
        raise Invalid(f"no folder is set for the photos of {owner.name}; `brightroom scan --directory FOLDER` sets it")
    if not Path(owner.scan_directory).is_dir():
        raise Invalid(f"the folder {owner.scan_directory} is not there; mount it, or name another with --directory")
    return owner


def asked_password() -> str:
    """A password from the terminal, typed twice, or the first line of standard input: never from the command line."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def chosen(system: System, name: str | None) -> User:
    """The named user, or the only one there is."""
    users = system.users.list()
    if name:
        if user := system.users.by_name(name):
            return user
        raise Invalid(f"there is no user {name}; there are {', '.join(user.name for user in users) or 'none'}")
    if len(users) == 1:
        return users[0]
    names = ", ".join(user.name for user in users)
    raise Invalid(
        f"say whose library with --user ({names})" if users else "there is no user yet; `brightroom create-admin`"
    )


def first_admin(system: System) -> str | None:
    """Make `admin` with a random password where there is no user yet, and return the password; else None."""
    if system.users.list():
        return None
    password = secrets.token_urlsafe(12)
    system.users.create("admin", Passwords().hash(password), admin=True)
    return password
