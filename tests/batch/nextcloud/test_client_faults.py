"""What of a flaky or hostile server comes through to whoever lists its folders: the truth, or a sentence."""

from collections.abc import Callable

import msgspec
import pytest

from batch.nextcloud.client import Nextcloud
from batch.nextcloud.faults import (
    Forbidden,
    Gone,
    Hostile,
    Locked,
    Maintenance,
    Throttled,
    Unreachable,
    Withheld,
)
from cluster.errors import ServiceError
from tests.batch.nextcloud.conftest import HASTE
from tests.nextcloud.server import StandIn


def paths(nextcloud: Nextcloud, path: str = "") -> list[str]:
    """What is listed."""
    return [item.path for item in nextcloud.list(path)]


@pytest.mark.parametrize(
    ("kind", "fault", "sentence"),
    [
        ("forbidden", Withheld, "does not allow this"),
        ("missing", Gone, "no longer"),
        ("gone", Gone, "no longer"),
        ("locked", Locked, "locked"),
        ("broken", Unreachable, "in trouble"),
        ("bad_gateway", Unreachable, "in trouble"),
        ("teapot", Unreachable, "Nextcloud does not"),
        ("page", Unreachable, "something else"),
        ("maintenance", Maintenance, "maintenance mode"),
        ("throttled_for_ever", Throttled, "fewer requests"),
        ("reset_before", Unreachable, "broke off"),
        ("stall", Unreachable, "too slow"),
        ("drip", Unreachable, "too slow"),
        ("drip_head", Unreachable, "too slow"),
        ("garbage", Unreachable, "broke off"),
        ("head_too_long", Unreachable, "broke off"),
        ("redirect_elsewhere", Forbidden, "another server"),
        ("redirect_metadata", Forbidden, "another server"),
        ("redirect_plain", Forbidden, "another server"),
        ("redirect_loop", Forbidden, "circles"),
        ("xml_bomb", Hostile, "DOCTYPE"),
        ("xml_doctype", Hostile, "DOCTYPE"),
        ("xml_doctype_utf16", Hostile, "DOCTYPE"),
        ("xml_deep", Hostile, "too deep"),
        ("huge_text", Hostile, "too long"),
        ("listing_broken", Unreachable, "broken"),
        ("listing_truncated", Unreachable, "broken"),
    ],
)
def test_what_goes_wrong_again_and_again_is_told(
    cloud: StandIn, account: Callable[..., Nextcloud], kind: str, fault: type[ServiceError], sentence: str
):
    """Each with a sentence of its own, after a few tries at most."""
    nextcloud = account(patience=msgspec.structs.replace(HASTE, tries=2, maintenance_s=0, read_s=0.3))
    assert paths(nextcloud)
    cloud.forget()
    cloud.faults.measures.stall_s = 4 * 0.3 + 0.3
    cloud.faults.always(kind, method="PROPFIND")

    with pytest.raises(fault, match=sentence) as told:
        list(nextcloud.list("Photos"))

    assert type(told.value) is fault
    assert len(cloud.log) <= 4


@pytest.mark.parametrize(
    "kind", ["bad_gateway", "reset_midway", "short_body", "listing_truncated", "throttled", "page"]
)
def test_what_passes_is_not_noticed(cloud: StandIn, nextcloud: Nextcloud, kind: str):
    """One try more, and nothing twice in the listing."""
    expected = paths(nextcloud, "Photos")
    cloud.faults.at(kind, method="PROPFIND")

    assert paths(nextcloud, "Photos") == expected
    assert cloud.faults.counted[kind] == 1


@pytest.mark.parametrize(
    "kind", ["redirect_same", "gzip_unasked", "duplicates", "etags_weird", "dates_wrong", "clock_off"]
)
def test_what_is_odd_and_harmless_is_listed(cloud: StandIn, nextcloud: Nextcloud, kind: str):
    """A redirect within the server, packed answers, entries twice, ETags and dates that are none."""
    expected = paths(nextcloud, "Photos")
    cloud.faults.at(kind, method="PROPFIND")

    assert sorted(paths(nextcloud, "Photos")) == sorted(expected)
    assert cloud.faults.counted[kind] == 1


@pytest.mark.parametrize(
    "kind",
    [
        *("href_parent", "href_parent_encoded", "href_slash_encoded", "href_nul", "href_not_utf8", "href_other_host"),
        *("href_other_user", "href_outside", "href_grandchild", "href_empty_part", "refused_inside"),
    ],
)
def test_entries_that_lead_elsewhere_are_refused_and_the_others_listed(cloud: StandIn, nextcloud: Nextcloud, kind: str):
    """Each with a reason."""
    expected = paths(nextcloud, "Photos")
    cloud.faults.at(kind, method="PROPFIND")
    refused: dict[str, str] = {}

    items = [item.path for item in nextcloud.list("Photos", refused.__setitem__)]

    assert set(items) == set(expected)
    assert refused
    assert all(refused.values())


def test_nothing_that_a_hostile_listing_names_lies_outside_the_folder(cloud: StandIn, nextcloud: Nextcloud):
    """Of all hostile names at once: each is an entry of this very folder or refused."""
    for kind in (
        "href_script",
        "href_newline",
        "href_control",
        "href_backslash",
        "href_bidi",
        "href_long",
        "href_dots",
    ):
        cloud.faults.at(kind, method="PROPFIND")
        for item in nextcloud.list("Photos"):
            assert item.path == "Photos" or item.path.split("/")[:-1] == ["Photos"]
        assert cloud.faults.counted[kind] == 1


@pytest.mark.parametrize(("kind", "sentence"), [("stall", "broke off"), ("stall_midway", "too slow")])
def test_a_folder_is_waited_for_longer_than_a_file(
    cloud: StandIn, account: Callable[..., Nextcloud], kind: str, sentence: str
):
    """A small server thinks long over a large one: four times, until it begins to answer. Here it ends before that."""
    nextcloud = account(patience=msgspec.structs.replace(HASTE, tries=1, read_s=0.4))
    assert paths(nextcloud)
    cloud.faults.measures.stall_s = 0.9
    cloud.faults.at(kind, method="PROPFIND")
    with pytest.raises(Unreachable, match=sentence):
        paths(nextcloud)
