"""Libraries for pages that need no services: photos with real pictures, people, unknown faces, events, a trash."""

from datetime import timedelta

from batch.events import generate
from cluster.store.writer import Writer
from tests.api.album import cluster, face, naming
from tests.api.test_trash import deleted
from tests.api.world import NOON, World
from tests.browser.pixels import picture

PLACES = ("Oslo", "Rome", "Bergen")


def drawn(world: World, owner: str) -> None:
    """Let every derived picture of an owner be one that a browser can show."""
    for file in (world.settings.derived / world.users[owner].user_id).rglob("*.*"):
        file.write_bytes(picture(file.suffix))


def stocked(world: World, owner: str, photos: int = 24) -> list[str]:
    """Some events of photos, two of them with Kim, six with somebody whom nobody has named, two in the trash."""
    made = []
    for number in range(photos):
        place = PLACES[number * len(PLACES) // photos]
        taken = NOON - timedelta(days=10 * PLACES.index(place), minutes=number)
        made.append(
            world.photo(
                owner, f"{place}/{number:03}.jpg", taken_at=taken, place=place, width=64, height=48,
                search_text=f"{owner} in {place}", caption=f"A day of {owner} in {place}",
            )
        )  # fmt: skip
    naming(world, owner).label([face(world, owner, one) for one in made[:2]], name=f"Kim of {owner}")
    cluster(world, owner, f"{number_of(owner):032x}", *[face(world, owner, one) for one in made[2:8]])
    deleted(world, owner, f"job-of-{owner}", "gone-1.jpg", "gone-2.jpg")
    library = world.library(owner)
    generate(library, Writer(library, world.settings.store), NOON)
    drawn(world, owner)
    return made


def number_of(owner: str) -> int:
    """A number of one's own, for ids."""
    return int.from_bytes(owner.encode()[:8], "big")
