"""What all commands share: where they print, what they begin with, and how a fault is told. No command is in here."""

import os
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from api.accounts import first_admin
from api.signals import end_in_order
from cluster.settings import CONFIG_VARIABLE, Settings, load_settings
from cluster.store.database import System

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


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
