"""The dashboard for Grafana and the list of metrics, beside a real scrape of a server that has worked."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric

from tests.api.promql import Scrape, Unfit, out_of_nothing, scrape_of
from tests.api.workload import scraped, work
from tests.api.world import answering, build

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "configs/grafana-dashboard.json").read_text("utf8"))
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = {
    f"{panel['title']} {target['refId']}": (target["expr"], target["legendFormat"])
    for panel in PANELS
    for target in panel["targets"]
}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Metric]]:
    """What a server exports that has done some work of every kind."""
    world = build(tmp_path_factory.mktemp("worked"))
    for name in ("ann", "ben"):
        world.user(name)
    with answering(world):
        work(world)
        yield scraped(world.client().get("/metrics").text)


@pytest.fixture(scope="module")
def scrape(families: dict[str, Metric]) -> Scrape:
    """Its samples, to be asked for."""
    return scrape_of(families)


@pytest.mark.parametrize("query", QUERIES)
def test_a_panels_query_finds_what_it_asks_for(scrape: Scrape, query: str) -> None:
    """Every metric with these labels and values is in the scrape, and a legend names labels that are left."""
    expr, legend = QUERIES[query]

    labels = scrape.labels_of(expr)

    assert set(re.findall(r"{{(\w+)}}", legend)) <= labels


@pytest.mark.parametrize(
    "expr",
    [
        "brightroom_nothing", 'brightroom_jobs{state="asleep"}', 'brightroom_jobs{status=~"q.*"}',
        "sum by (stage) (brightroom_jobs)", "brightroom_service_requests_total", "rate(brightroom_jobs[5m])",
        "histogram_quantile(0.5, rate(brightroom_service_request_seconds_sum[5m]))",
        "brightroom_jobs / brightroom_service_queue",
    ],
)  # fmt: skip
def test_a_query_that_would_show_nothing_is_found_out(scrape: Scrape, expr: str) -> None:
    """An unknown name, value or label, a counter shown as it is, a quantile of no buckets, sides that do not meet."""
    with pytest.raises(Unfit):
        scrape.labels_of(expr)


@pytest.mark.parametrize("query", QUERIES)
def test_a_panel_shows_nothing_while_nothing_is_scraped(query: str) -> None:
    """A Brightroom that is gone has no sources away and no silent job: a 0 there would look well."""
    assert not out_of_nothing(QUERIES[query][0])


def test_a_number_out_of_nothing_is_found_out() -> None:
    """Wherever it stands; a part of a number that needs samples is none."""
    assert out_of_nothing("count(brightroom_source_up == 0) or vector(0)")
    assert not out_of_nothing("(sum(rate(brightroom_http_requests_total[5m])) or vector(0)) / sum(brightroom_jobs)")


def test_every_panel_says_what_it_shows_and_what_to_do() -> None:
    """A description in sentences, a unit, thresholds, Prometheus as chosen above; no two have one title."""
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        defaults = panel["fieldConfig"]["defaults"]
        assert re.search(r"\w.*\.$", panel["description"]), panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["thresholds"]["steps"], panel["title"]
        assert panel["datasource"] == DATASOURCE
        assert [target["datasource"] for target in panel["targets"]] == [DATASOURCE] * len(panel["targets"])


def test_panels_stand_side_by_side() -> None:
    """None lies on another or beyond the right edge, and each has its own number."""
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in DASHBOARD["panels"]:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24, panel["title"]
    for one, other in combinations(DASHBOARD["panels"], 2):
        assert not overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether two places on the grid share a field."""
    across = one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]
    return across and one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]


def test_the_dashboard_is_found_again_and_asks_for_any_prometheus(scrape: Scrape) -> None:
    """Its uid stays, its rows are those of Brightroom, and which Prometheus and which Brightroom are variables."""
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    source, job = DASHBOARD["templating"]["list"]

    assert (DASHBOARD["uid"], DASHBOARD["schemaVersion"]) == ("brightroom", 42)
    assert rows == ["Overview", "HTTP", "Jobs", "Services", "Library & store", "Nodes & GPUs"]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    named = re.fullmatch(r"label_values\((\w+), job\)", job["definition"])
    assert job["name"] == "job"
    assert named
    assert named[1] in scrape.labels


def test_every_metric_is_documented_as_it_is_and_no_other(families: dict[str, Metric]) -> None:
    """The table in docs/metrics.md has its name, type, labels, and of ours the sentence that goes with it."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*) \| (.*) \|$", (ROOT / "docs/metrics.md").read_text("utf8"), re.M)
    documented = {name: (kind, set(re.findall(r"\w+", labels)) - {"none"}, text) for name, kind, labels, text in rows}
    exported = {exposed(family): (family.type, labels_of(family), family.documentation) for family in families.values()}

    assert documented.keys() == exported.keys()
    for name, (kind, labels, sentence) in exported.items():
        assert documented[name][:2] == (kind, labels), name
        assert documented[name][2] == sentence or not name.startswith("brightroom_"), name
        assert sentence.endswith(".") or not name.startswith("brightroom_"), name


def exposed(family: Metric) -> str:
    """A family's name as its samples have it; buckets and sums are a histogram's own affair."""
    return f"{family.name}_total" if family.type == "counter" else family.name


def labels_of(family: Metric) -> set[str]:
    """The labels of a family's samples, without the edge of a bucket."""
    return {label for sample in family.samples for label in sample.labels} - {"le"}
