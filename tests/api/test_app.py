"""What the application does besides answering."""

from pathlib import Path

from tests.api.world import answering, build


def test_ended_sessions_and_old_failures_are_forgotten_while_it_runs(tmp_path: Path) -> None:
    """So that years of logins, and of guesses at them, leave no heap behind; what still counts stays."""
    world = build(tmp_path)
    world.user("ann")
    world.expired("ann")
    world.system.attempts.failed("address:203.0.113.1")
    world.clock.advance(days=2)
    world.system.attempts.failed("address:203.0.113.2")
    kept = world.token("ann")

    with answering(world):
        world.until(lambda: world.system.attempts.table.count() == 1)

        assert world.system.sessions.table.count() == 1
        assert world.client(kept).get("/api/auth/me").status_code == 200
