"""Sources of figures that answer, take long, or are away."""

import asyncio
from collections.abc import Awaitable, Callable

from prometheus_client.metrics_core import Metric

from api.families import gauge
from api.readings import Reading, read_all
from cluster.errors import Unavailable


def figure(number: float) -> list[Metric]:
    """A family with one sample."""
    return [gauge("figure", "A figure.", [], [([], number)])]


class Counting:
    """A source whose figure is how often it was read, after a gate that tests open."""

    def __init__(self) -> None:
        self.times = 0
        self.open = asyncio.Event()
        self.open.set()

    async def read(self) -> list[Metric]:
        """The next number."""
        self.times += 1
        number = self.times
        await self.open.wait()
        return figure(number)


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Let a story happen in an event loop of its own."""
    asyncio.run(story())  # type: ignore[arg-type]


async def numbers(reading: Reading) -> list[float]:
    """What a reading tells now."""
    return [family.samples[0].value for family in (await reading.told()).families]


def test_a_source_is_read_each_time_unless_its_answer_is_kept() -> None:
    """For as long as was said."""

    async def story() -> None:
        each, kept = Reading("each", Counting().read), Reading("kept", Counting().read, keep_s=60)
        assert [await numbers(each) for _ in range(3)] == [[1], [2], [3]]
        assert [await numbers(kept) for _ in range(3)] == [[1], [1], [1]]

    run(story)


def test_those_who_ask_at_once_share_one_question() -> None:
    """A source that hangs holds one thread, however often it is scraped."""

    async def story() -> None:
        source = Counting()
        source.open.clear()
        reading = Reading("slow", source.read, within_s=0.01)
        assert [await numbers(reading) for _ in range(5)] == [[]] * 5
        assert source.times == 1
        source.open.set()
        await asyncio.sleep(0.05)
        assert await numbers(reading) == [2]

    run(story)


def test_while_a_kept_answer_is_renewed_slowly_the_old_one_is_told() -> None:
    """Figures of a large library do not come and go."""

    async def story() -> None:
        source = Counting()
        reading = Reading("slow", source.read, keep_s=0.001, within_s=0.01)
        assert await numbers(reading) == [1]
        source.open.clear()
        await asyncio.sleep(0.3)  # longer than it is kept, however slow the machine
        assert await numbers(reading) == [1]
        assert source.times == 2

    run(story)


def test_what_takes_long_to_read_is_kept_for_longer() -> None:
    """Otherwise a store of a thousand libraries would be read all the time."""

    async def story() -> None:
        source = Counting()
        reading = Reading("slow", source.read, keep_s=0.001)
        source.open.clear()
        asyncio.get_running_loop().call_later(0.5, source.open.set)
        assert await numbers(reading) == [1]
        await asyncio.sleep(0.05)
        assert await numbers(reading) == [1]
        assert source.times == 1

    run(story)


def test_a_source_that_fails_has_no_figures_and_no_old_ones() -> None:
    """That it is away is a figure of its own; the others are told."""

    async def story() -> None:
        answers: list[list[Metric]] = [figure(1)]

        async def fails() -> list[Metric]:
            if answers:
                return answers.pop()
            raise Unavailable("nobody is there")

        failing = Reading("failing", fails, keep_s=0.001)
        assert await numbers(failing) == [1]
        await asyncio.sleep(0.3)  # longer than it is kept, however slow the machine
        told = {family.name: family for family in await read_all([failing, Reading("good", Counting().read)])}
        up = {sample.labels["source"]: sample.value for sample in told["brightroom_source_up"].samples}
        assert up == {"failing": False, "good": True}
        assert [sample.value for sample in told["figure"].samples] == [1]

    run(story)
