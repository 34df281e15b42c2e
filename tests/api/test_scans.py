"""Asking for a scan over HTTP: what it may name, and what becomes of a second request."""

from pathlib import Path

import pytest

from tests.api.world import World


def filed(path: Path) -> None:
    """Make a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_a_scan_is_started_and_found_running(world: World) -> None:
    """202 with the job and where to follow it; a second request for the same gets the same job, another none."""
    user = world.user("wim")
    for name in ("a/b.jpg", "c"):
        filed(Path(user.scan_directory) / name)
    client = world.as_user("wim")
    asked = {"full": True, "paths": ["a/b.jpg", f"{user.scan_directory}/c"]}

    first, second = (client.post("/api/library/actions/scan", json=asked) for _ in range(2))
    other = client.post("/api/library/actions/scan")

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["arguments"] == {"full": True, "paths": ["a/b.jpg", "c"]}
    assert first.headers["location"] == f"/api/jobs/{first.json()['job_id']}"
    assert client.get(first.headers["location"]).json()["state"] in ("queued", "running")
    assert second.json()["job_id"] == first.json()["job_id"]
    assert (other.status_code, first.json()["job_id"] in other.text) == (409, True)


@pytest.mark.parametrize("path", ["..", "../x", "a/../../x", "/etc/passwd", "", "x\0", "a" * 5000])
def test_a_scan_leaves_the_scan_directory_under_no_name(world: World, path: str) -> None:
    """And no job is made for it."""
    world.users.get("xena") or world.user("xena")
    client = world.as_user("xena")

    assert client.post("/api/library/actions/scan", json={"paths": [path]}).status_code == 400
    assert client.get("/api/jobs").json()["jobs"] == []


def test_a_scan_takes_a_thousand_paths_and_no_more(world: World) -> None:
    """A request is bounded, and long enough for what people select."""
    filed(Path(world.user("yann").scan_directory) / ("x" * 200))
    client = world.as_user("yann")

    assert client.post("/api/library/actions/scan", json={"paths": ["x" * 200] * 1001}).status_code == 400
    assert client.post("/api/library/actions/scan", json={"paths": ["x" * 200] * 1000}).status_code == 202
