"""The pages of administration over HTTP: what they tell, whom they let in, and that every form does what it says."""

import html
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest

from api.pages.words import WORDS
from cluster.logs import logs_dir
from cluster.settings import SERVICES
from cluster.stats import ClusterStats
from tests.api.reading import sent, text_of
from tests.api.standins import two_nodes
from tests.api.world import CHEAP, PASSWORD, World, answering, build

PAGES = ("", "/cluster", "/users", "/users/new", "/jobs", "/logs", "/settings", "/services/clip_embeddings")
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def admin(fresh: World) -> httpx.Client:
    """An administrator's browser."""
    return fresh.client(fresh.token("root"), Accept="text/html")


@pytest.mark.parametrize("path", PAGES)
def test_only_administrators_see_the_administration(world: World, path: str):
    """Others get the API's own words as a page; whoever is not logged in is asked to."""
    ann, root = (world.client(world.token(name), Accept="text/html") for name in ("ann", "root"))

    refused, shown = ann.get(f"/admin{path}"), root.get(f"/admin{path}")
    away = world.client(Accept="text/html").get(f"/admin{path}", follow_redirects=False)

    assert refused.status_code == 403
    assert "Only an administrator may do this" in refused.text
    assert shown.status_code == 200
    assert 'aria-current="page"' in shown.text
    assert away.headers["location"].startswith("/login?back=")


def test_services_are_told_with_all_that_is_known_of_them(admin: httpx.Client):
    """What it does, its state, model, replicas, requests, times; and the same by name for scripts."""
    page, cells = text_of(admin.get("/admin").text), admin.get("/admin/services.json").json()["cells"]

    for told in ("CLIP embedding computation", "healthy", "test-clip@1", "1 of 1", "no GPU", "12", "1 error"):
        assert told in page
    assert cells["clip_embeddings.times"] == "10 ms / 500 ms"
    assert (cells["clip_embeddings.stop"], cells["clip_embeddings.start"]) == (True, False)


def test_stopping_says_first_what_then_does_not_work(fresh: World, admin: httpx.Client):
    """The list leads to the service's own page, which says it beside the button; the form then stops it."""
    listed, page = admin.get("/admin").text, admin.get("/admin/services/clip_embeddings").text

    assert "/clip_embeddings/stop" not in listed
    assert "Search by meaning will not answer" in text_of(page)
    sent(admin, "POST /api/services/clip_embeddings/stop")
    assert fresh.models.down == {"clip_embeddings"}
    assert "it was stopped" in text_of(admin.get("/admin").text)
    sent(admin, "POST /api/services/clip_embeddings/start")
    assert fresh.models.down == set()


def test_a_model_is_changed_by_what_is_filled_in(fresh: World, admin: httpx.Client):
    """Fields that are left empty stay as they are."""
    fields = {
        "checkpoint:some": "owner/other", "revision:some": "", "device:some": "", "batch_size:int": "",
        "gpus:float": "0.25", "max_replicas:int": "2",
    }  # fmt: skip
    sent(admin, "PUT /api/services/clip_embeddings/model", **fields)

    assert fresh.models.chosen["clip_embeddings"] == {"checkpoint": "owner/other", "gpus": 0.25, "max_replicas": 2}


def test_the_cluster_is_told_down_to_its_gpus(admin: httpx.Client):
    """Figures of now are there without scripts; a node that does not answer is said to be silent."""
    page = text_of(admin.get("/admin/cluster").text)
    told = admin.get("/admin/cluster.json").json()

    for one in ("2 nodes", "NVIDIA H100", "25 %", "40 °C", "does not answer", "another program", "2.60.0"):
        assert one in page
    assert told["cells"]["0.g0.memory"] == "1.1 GB of 85.9 GB"
    assert told["shape"] in html.unescape(admin.get("/admin/cluster").text)


def bare_node() -> ClusterStats:
    """A cluster of one node without a GPU."""
    stats = two_nodes()
    here = msgspec.structs.replace(stats.nodes[0], figures=msgspec.structs.replace(stats.nodes[0].figures, gpus=[]))
    return msgspec.structs.replace(stats, nodes=[here])


def test_a_cluster_without_a_gpu_says_so(tmp_path: Path):
    """In words, not by leaving it out; and a dashboard that is no web address is no link."""
    made = build(tmp_path)
    made.user("root", admin=True)
    made.deps = replace(made.deps, cluster=bare_node, dashboard=lambda: "javascript:alert(1)")
    with answering(made):
        page = made.as_user("root").get("/admin/cluster").text

    assert "No GPU here" in page
    assert "javascript:" not in page


def test_the_past_hour_may_be_asked_for_in_steps(fresh: World):
    """Of many GPUs every so manieth point is enough, counted from the newest."""
    root, history = fresh.as_user("root"), fresh.app.state.history
    for _ in range(9):
        fresh.clock.advance(seconds=5)
        history.add(two_nodes())
    points = root.get("/api/cluster/history").json()["points"]
    told = root.get("/api/cluster/history", params={"step": 4}).json()

    assert told["every_s"] == 20
    assert told["points"][-1]["at"] >= points[-1]["at"]
    assert len(told["points"]) == -(-len(points) // 4)
    assert root.get("/api/cluster/history", params={"step": 0}).status_code == 400


def test_what_people_are_called_is_text_everywhere(fresh: World, admin: httpx.Client):
    """Also where their jobs, their storage and their own page are shown."""
    user = fresh.system.users.create(HOSTILE, CHEAP.hash(PASSWORD), False, "")
    fresh.users["evil"] = user
    fresh.deps.jobs.start(user.user_id, "generate-events", {}, user.user_id)

    for path in ("users", "cluster", "jobs", f"users/{user.user_id}"):
        page = admin.get(f"/admin/{path}").text
        assert HOSTILE not in page, path
        assert html.escape(HOSTILE) in page, path


def test_jobs_of_all_are_told_with_their_owners(fresh: World, admin: httpx.Client):
    """Filtered by state, a page at a time, with the words that steer them."""
    ann = fresh.users["ann"].user_id
    job = fresh.deps.jobs.start(ann, "scan", {}, ann)

    page = admin.get("/admin/jobs").text
    assert "Library of ann · asked by ann" in text_of(page)
    assert f"POST /api/jobs/{job.job_id}/cancel" in page
    assert "No job is like that" in text_of(admin.get("/admin/jobs?state=failed").text)
    sent(admin, f"POST /api/jobs/{job.job_id}/cancel")
    assert fresh.deps.jobs.jobs.get(job.job_id).wanted == "cancel"
    for _ in range(21):
        fresh.clock.advance(seconds=1)
        other = fresh.deps.jobs.start(ann, "generate-events", {}, ann)
        fresh.deps.jobs.cancel(other.job_id)
    assert re.search(r'href="/admin/jobs\?cursor=[^"]+"', admin.get("/admin/jobs").text)
    assert admin.get("/admin/jobs?state=nonsense").status_code == 200


def logged(world: World, *lines: tuple[str, str, str]) -> None:
    """Lines of the API's log: a level, a message, an exception."""
    folder = logs_dir(world.settings.root)
    folder.mkdir(parents=True, exist_ok=True)
    about = {"service": "api", "job": "", "node": "vm", "pid": 1, "logger": "api.test"}
    told = [
        {"at": datetime.now(UTC).isoformat(), "level": level, "message": message, "exception": exception, **about}
        for level, message, exception in lines
    ]
    (folder / "api.log").write_text("".join(json.dumps(one) + "\n" for one in told))


def test_log_lines_are_text_with_their_levels_named(fresh: World, admin: httpx.Client):
    """Oldest first, exceptions folded, what is hostile harmless."""
    logged(fresh, ("INFO", HOSTILE, ""), ("ERROR", "it broke", "Traceback\nValueError: </pre><script>"))

    page = admin.get("/admin/logs").text
    severe = admin.get("/admin/logs?service=api&level=ERROR").text

    assert HOSTILE not in page
    assert "</pre><script>" not in page
    assert html.escape(HOSTILE) in page
    assert page.index(html.escape(HOSTILE)) < page.index("it broke")
    assert 'data-level="ERROR"' in page
    assert "<details" in page
    assert html.escape(HOSTILE) not in severe
    assert "it broke" in severe
    assert "/api/server/logs/api?level=ERROR" in severe


def test_older_lines_of_a_log_are_a_link_away(fresh: World, admin: httpx.Client):
    """And a log that is none, or has nothing, says so."""
    logged(fresh, *[("INFO", f"line {n}.", "") for n in range(250)])

    page = admin.get("/admin/logs").text
    older = html.unescape(re.search(r'href="([^"]+cursor=[^"]+)"', page)[1])  # type: ignore[index]

    assert "line 249." in page
    assert "line 10." not in page
    assert "line 10." in admin.get(older).text
    assert "Nothing has been written" in text_of(admin.get("/admin/logs?service=ocr").text)
    assert admin.get("/admin/logs?service=../x").status_code == 404


def test_settings_are_found_by_words_and_by_who_gave_them(world: World):
    """Without scripts by the form's answer."""
    root = world.as_user("root")

    found = root.get("/admin/settings", params={"q": "Pause cancel"}).text
    given = root.get("/admin/settings", params={"given": "true"}).text

    assert "scan.chunk_photos" in found
    assert "api.page_size" not in found
    assert "api.page_size" in given
    assert "scan.chunk_photos" not in given
    assert "Try fewer of them" in root.get("/admin/settings", params={"q": "zzz"}).text


def test_the_name_of_every_service_has_its_words():
    """What it does, and what does not work without it."""
    for name in SERVICES:
        assert WORDS(f"admin.about_{name}")
        assert WORDS(f"admin.without_{name}")
