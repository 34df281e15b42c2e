"""Things lent to one caller at a time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from serve_apps.spares import Spares


def test_callers_one_after_the_other_share_one_thing():
    """What is given back is lent again."""
    made = iter(range(9))
    spares = Spares(lambda: next(made))

    lent = []
    for _ in range(3):
        with spares.lent() as thing:
            lent.append(thing)

    assert lent == [0, 0, 0]


def test_callers_at_once_have_one_each():
    """Nobody waits, nobody shares, and all are kept for later."""
    made = iter(range(9))
    spares = Spares(lambda: next(made))
    together = Barrier(3, timeout=10)

    def use(_: int) -> int:
        with spares.lent() as thing:
            together.wait()
            return thing

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(use, range(3))) == [0, 1, 2]
    assert sorted(spares.taken()) == [0, 1, 2]
