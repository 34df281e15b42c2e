"""Pictures that are sent: how many of them lie on the disk, whose sender is gone, and a disk that takes none."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.uploads import ARRIVING, pieces
from cluster.errors import Invalid
from tests.api.test_search_image import CAT, names, sent
from tests.api.world import World, answering, build


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[World]:
    """A world of two users without photos."""
    made = build(tmp_path)
    for name in ("ann", "ben"):
        made.user(name)
    with answering(made):
        yield made


def test_few_pictures_of_one_user_lie_on_the_disk_at_once(guarded: World) -> None:
    """However many are sent: the others wait at their sender, other users do not, and all are answered."""
    arriving, go_on = guarded.settings.root / "uploads", threading.Event()

    def slow() -> Iterator[bytes]:
        yield CAT[:5000]
        assert go_on.wait(20)
        yield CAT[5000:]

    def there() -> int:
        return len(list(arriving.glob("*/picture")))

    clients = [guarded.client(guarded.token("ann")) for _ in range(ARRIVING + 3)]
    with ThreadPoolExecutor(len(clients)) as senders:
        answers = [senders.submit(sent, client, slow()) for client in clients]
        guarded.until(lambda: there() == ARRIVING)
        assert names(sent(guarded.as_user("ben"), CAT)) == []
        assert there() == ARRIVING
        go_on.set()
        assert {answer.result(30).status_code for answer in answers} == {200}


class Silent:
    """A request of which a beginning comes and then nothing."""

    async def stream(self) -> AsyncIterator[bytes]:
        """Its body."""
        yield CAT[:100]
        await asyncio.Event().wait()


def test_a_sender_who_falls_silent_is_not_waited_for_for_ever() -> None:
    """Otherwise a telephone without a network would keep its place among its user's pictures."""

    async def received() -> list[bytes]:
        return [piece async for piece in pieces(Silent(), 50, silent_s=0.05)]  # type: ignore[arg-type]

    with pytest.raises(Invalid, match="did not arrive whole"):
        asyncio.run(received())


def test_without_a_place_for_pictures_it_is_said_so(tmp_path: Path) -> None:
    """503 with the reason, as for a full disk; the server has no fault of its own."""
    world = build(tmp_path)
    world.user("ann")
    with answering(world):
        assert sent(world.as_user("ann"), CAT).status_code == 200
        (world.settings.root / "uploads").rmdir()
        answer = sent(world.as_user("ann"), CAT)

    assert answer.status_code == 503
    assert "No such file or directory. Ask an administrator" in answer.json()["detail"]
    assert str(tmp_path) not in answer.text
