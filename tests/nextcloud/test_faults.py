"""When faults are due: scripts, chance from a seed, budgets, counts."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.nextcloud.conftest import DATA, Asking
from tests.nextcloud.kinds import KINDS
from tests.nextcloud.server import StandIn


def statuses(client: Asking, path: str, times: int) -> list[int]:
    """What so many downloads answer."""
    return [client.fetch(path).status_code for _ in range(times)]


def test_a_script_says_which_request_goes_wrong(cloud: StandIn, client: Asking):
    """The third download of one path, twice; other paths and methods are left alone."""
    cloud.faults.at("unavailable", method="GET", path="Photos/a.jpg", nth=3, times=2)

    assert statuses(client, "Photos/b.jpg", 4) == [200] * 4
    assert client.propfind("Photos/a.jpg").status_code == 207
    assert statuses(client, "Photos/a.jpg", 6) == [200, 200, 503, 503, 200, 200]
    assert cloud.faults.counted == {"unavailable": 2}
    assert [seen.fault for seen in cloud.seen("GET", "Photos/a.jpg")] == ["", "", "unavailable", "unavailable", "", ""]


def test_always_is_until_it_is_cleared(cloud: StandIn, client: Asking):
    """Every request, then none; what was counted stays."""
    cloud.faults.always("broken")
    assert statuses(client, "Photos/a.jpg", 5) == [500] * 5
    cloud.faults.clear()
    assert statuses(client, "Photos/a.jpg", 2) == [200] * 2
    assert cloud.faults.counted["broken"] == 5


def chance(root: Path, seed: int, order: list[int]) -> set[tuple[int, int]]:
    """Which requests go wrong by chance when files are asked for in some order, four times each."""
    wrong = set()
    with StandIn(root, tls=False) as cloud, Asking(cloud) as client:
        cloud.faults.seed = seed
        cloud.faults.sometimes("unavailable", 0.3).sometimes("gone", 0.1)
        for number in order:
            cloud.put(f"{number}.jpg", b"x")
            for turn in range(4):
                if client.fetch(f"{number}.jpg").status_code != 200:
                    wrong.add((number, turn))
    return wrong


def test_the_same_seed_gives_the_same_faults_in_any_order(tmp_path: Path):
    """Threads may come as they like; another seed gives other faults."""
    first = chance(tmp_path / "one", 1, list(range(20)))

    assert chance(tmp_path / "two", 1, list(reversed(range(20)))) == first
    assert chance(tmp_path / "three", 2, list(range(20))) != first
    assert 10 < len(first) < 50


def test_chance_has_a_budget_and_lets_through_who_tries_again(cloud: StandIn, client: Asking):
    """No more than `most` in all, and no more than two in a row for the same thing."""
    cloud.faults.sometimes("unavailable", 1.0, most=5)

    assert statuses(client, "Photos/a.jpg", 9) == [503, 503, 200, 503, 503, 200, 503, 200, 200]
    assert cloud.faults.counted["unavailable"] == 5


def test_what_cannot_be_spoilt_is_given_and_not_counted(cloud: StandIn, client: Asking):
    """A fault of bodies over an answer that is 404: it is given as it is, and the budget is not spent."""
    cloud.faults.sometimes("short_body", 1.0, most=1)

    assert client.fetch("Photos/none.jpg").status_code == 404
    assert cloud.faults.counted["short_body"] == 0
    assert cloud.log[-1].fault == ""


def test_every_kind_says_what_it_is():
    """At least twenty kinds, each with a sentence, or a table that has its name."""
    assert len(KINDS) > 60
    assert all(kind.spoil.__doc__ or kind.spoil.__name__ == "spoil" for kind in KINDS.values())


@pytest.fixture(scope="module")
def survivor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A client of a stand-in to which everything happens."""
    with StandIn(tmp_path_factory.mktemp("survivor"), tls=False) as cloud, Asking(cloud) as client:
        cloud.put("Photos/a.jpg", DATA)
        cloud.put("Photos/b.jpg", DATA[:100])
        cloud.faults.measures = replace(
            cloud.faults.measures, stall_s=0.05, drip_s=0.001, entries=3000, bomb_bytes=1 << 20, endless_bytes=4 << 20
        )
        yield client
        assert cloud.mishaps == []


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_stand_in_survives_every_kind(survivor: Asking, name: str):
    """Each kind can happen, is counted, and the next request is answered rightly."""
    faults = survivor.cloud.faults
    faults.at(name)
    listed = KINDS[name].methods == ("PROPFIND",)
    with contextlib.suppress(httpx.TransportError):
        survivor.propfind("Photos") if listed else survivor.fetch("Photos/b.jpg", range="bytes=50-")
    faults.clear()

    assert faults.counted[name] == 1
    assert survivor.fetch("Photos/a.jpg").content == DATA
