"""What the application does besides answering."""

from pathlib import Path

from batch.trash import Taken, take_out
from tests.api.world import World, answering, build


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


def test_a_trash_is_emptied_of_what_was_there_for_a_month(tmp_path: Path) -> None:
    """With its derived pictures; what was thrown away later can still be restored."""
    world = build(tmp_path)
    world.user("ann")
    library, owner = world.library("ann"), world.users["ann"].user_id
    for name in ("old.jpg", "new.jpg"):
        throw_away(world, world.photo("ann", name), name)
        world.clock.advance(days=20)

    with answering(world):
        world.until(lambda: library.trash.count() == 1)

        (left,) = world.as_user("ann").get("/api/trash").json()["photos"]
        assert left["name"] == "new.jpg"
        pictures = {path.name.partition(".")[0] for path in (world.settings.derived / owner).rglob("*.webp")}
        assert pictures == {left["photo_id"]}


def throw_away(world: World, photo_id: str, job: str) -> None:
    """Move a photo to the trash."""
    library, owner = world.library("ann"), world.users["ann"].user_id
    photos, files = library.photos.by_keys([photo_id]).to_pylist(), library.files.of_photos([photo_id]).to_pylist()
    take_out(library, world.deps.writer(owner), photos, files, Taken(job, owner, world.clock.now))
