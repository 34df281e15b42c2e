"""Each service's replica is killed in turn while a scan runs and searches arrive."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable

from api.up import Brightroom
from cluster.errors import Unavailable
from cluster.settings import SERVICES
from serve_apps.online import Services
from tests.batch.conftest import filled
from tests.conftest import Household
from tests.sample_library import SampleLibrary

AGAIN_S = 15.0  # after a kill, within which searches answer


def searched(brightroom: Brightroom, owner: str) -> None:
    """A text's vector, and what is near it, as a request asks for them; raises Unavailable."""

    async def search() -> None:
        services = Services(brightroom.fleet)
        await services.nearest(owner, await services.embed("a cat"), 5)

    asyncio.run(search())


def test_no_photo_fails_and_searches_answer_again(
    brightroom: Brightroom, sample: SampleLibrary, few: Callable[..., Household]
):
    """Every kill is counted as a restart, and searches are answered within fifteen seconds of it."""
    home = filled(few(), sample, [photo.main for photo in sample.photos if photo.kind == "image"][:32])
    before = {status.name: status.restarts for status in brightroom.fleet.statuses()}
    names = [name for name in SERVICES if name != "llm"]
    waits: dict[str, float] = {}
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.extend(asked(brightroom, home.user_id) for _ in range(20)))
    job = home.start()
    home.until(job, lambda now: bool(now.stages))
    asking.start()

    for name in names:
        if brightroom.system.jobs.get(job.job_id).state == "done":
            job = home.start(full=True)
        (replica,) = [one for one in brightroom.fleet.status(name).replicas if one.pid]
        os.kill(replica.pid, signal.SIGKILL)
        killed = time.monotonic()
        while not asked(brightroom, home.user_id):
            assert time.monotonic() - killed < AGAIN_S, (name, waits)
        waits[name] = time.monotonic() - killed

    asking.join()
    assert sum(answers) >= 15, answers  # those under way at a kill may find nobody
    assert home.rest(job).state == "done"
    home.scan()
    assert home.library.errors.rows(columns=["reason"])["reason"].to_pylist() == []
    assert set(home.library.photos.pending_counts(brightroom.fleet.revisions()).values()) == {0}

    def counted() -> bool:
        after = {status.name: status.restarts for status in brightroom.fleet.statuses()}
        return all(after[name] == before[name] + 1 for name in names)

    deadline = time.monotonic() + 30
    while not counted():
        assert time.monotonic() < deadline, [(one.name, one.restarts, one.state) for one in brightroom.fleet.statuses()]
        time.sleep(0.5)


def asked(brightroom: Brightroom, owner: str) -> bool:
    """Whether a search is answered."""
    try:
        searched(brightroom, owner)
    except Unavailable:
        return False
    return True
