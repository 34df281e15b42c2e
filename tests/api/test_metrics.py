"""What a monitoring system and a probe see."""

from prometheus_client.parser import text_string_to_metric_families

from tests.api.world import World

FROM_AFAR = {"X-Forwarded-For": "203.0.113.9"}


def samples(text: str) -> dict[str, float]:
    """Every sample by its name and labels."""
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_status(world: World) -> None:
    """By the route's template: no id, name or query becomes a label."""
    client = world.as_user("ann")
    before = samples(client.get("/metrics").text)
    for _ in range(3):
        client.get("/api/photos/some-id-or-other")

    after = samples(client.get("/metrics").text)

    name = "brightroom_http_requests_total['/api/photos/{photo_id}', '404', 'GET']"
    assert after[name] - before.get(name, 0) == 3
    assert "some-id-or-other" not in str(after)
    assert after["brightroom_http_request_seconds_count['/api/photos/{photo_id}', 'GET']"] >= 3


def test_jobs_are_told_by_state_and_the_process_by_its_memory(world: World) -> None:
    """Read when asked, so they cannot drift."""
    before = samples(world.client().get("/metrics").text)["brightroom_jobs['queued']"]
    world.system.jobs.create(world.users["ann"].user_id, "scan", {})

    after = samples(world.client().get("/metrics").text)

    assert after["brightroom_jobs['queued']"] == before + 1
    assert after["process_resident_memory_bytes[]"] > 2**20


def test_figures_are_for_this_machine_and_for_administrators(world: World) -> None:
    """A program on this machine needs no token; whoever comes through a proxy is not on it."""
    assert world.client().get("/metrics").status_code == 200
    assert world.client(**FROM_AFAR).get("/metrics").status_code == 401
    assert world.client(Forwarded="for=203.0.113.9").get("/metrics").status_code == 401
    assert world.client(world.token("ann"), **FROM_AFAR).get("/metrics").status_code == 403
    assert world.client(world.token("root"), **FROM_AFAR).get("/metrics").status_code == 200


def test_the_exposition_has_prometheus_own_type(world: World) -> None:
    """With one charset."""
    assert world.client().get("/metrics").headers["content-type"] == "text/plain; version=1.0.0; charset=utf-8"


def test_a_probe_learns_that_the_api_answers_and_which_it_is(world: World) -> None:
    """Without logging in."""
    told = world.client().get("/healthz").json()

    assert told["status"] == "ok"
    assert told["version"]
