"""Which services are wanted."""

from cluster.store.database import System
from tests.cluster.store.conftest import TurnedClock


def test_an_untouched_service_is_wanted_running(system: System) -> None:
    """Nobody has to start anything."""
    assert system.services.wanted("ocr") == "running"
    assert system.services.wishes() == {}


def test_the_last_wish_counts(system: System, clock: TurnedClock) -> None:
    """With who had it, and when."""
    system.services.want("ocr", "stopped", "ann")
    clock.turn(hours=1)
    wish = system.services.want("tags", "stopped", "bob")
    system.services.want("ocr", "running", "bob")
    assert system.services.wanted("ocr") == "running"
    assert system.services.wanted("tags") == "stopped"
    assert system.services.wishes()["tags"] == wish
    assert (wish.changed_by, wish.changed_at) == ("bob", clock.time)
    assert system.services.wishes().keys() == {"ocr", "tags"}
