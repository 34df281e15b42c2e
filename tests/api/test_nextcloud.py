"""One's Nextcloud over HTTP: connecting, browsing, choosing and disconnecting, against a real server."""

from pathlib import Path

import httpx
import msgspec
import pytest

from api.nextcloud_view import GB, advice
from cluster.settings import NextcloudSettings
from tests.api.clouds import account, clouded, connect, told
from tests.api.world import World
from tests.nextcloud.server import StandIn


def test_who_has_none_is_told_so(ann: httpx.Client) -> None:
    """And nothing can be asked of it."""
    assert told(ann.get("/api/nextcloud"))["state"] == "none"
    for answer in (
        ann.get("/api/nextcloud/folders"),
        ann.post("/api/nextcloud/check"),
        ann.patch("/api/nextcloud", json={}),
    ):
        assert "connect first" in told(answer, 404)["detail"]
    assert told(ann.delete("/api/nextcloud", params={"keep": True}), 404)


def test_an_account_that_works_is_kept_and_told_without_its_password(ann: httpx.Client, cloud: StandIn) -> None:
    """What the server says of itself and of the account's room is told too."""
    cloud.limit(5_000_000)
    seen = connect(ann, cloud)

    assert {**seen, "free_here": 0} == {**told(ann.get("/api/nextcloud")), "free_here": 0}
    assert (seen["state"], seen["told"], seen["configured"]) == ("connected", "", True)
    assert (seen["server"], seen["login"], seen["app_password"], seen["advice"]) == (cloud.url, cloud.user, True, [])
    assert seen["version"]
    assert (seen["used"] > 0, seen["used"] + seen["free"], seen["free_here"] > 0) == (True, 5_000_000, True)
    assert not {"password", "sealed"} & set(seen)


def test_an_accounts_own_password_is_taken_with_advice_to_make_an_app_password(
    ann: httpx.Client, cloud: StandIn
) -> None:
    """Which goes when one is entered."""
    [advice] = connect(ann, cloud, password=cloud.password)["advice"]
    assert "Make an app password" in advice

    assert connect(ann, cloud)["advice"] == []


def test_folders_are_looked_into_one_at_a_time(ann: httpx.Client, cloud: StandIn) -> None:
    """With counts, and which are chosen."""
    connect(ann, cloud)
    top = told(ann.get("/api/nextcloud/folders"))
    assert [(one["path"], one["name"], one["count"], one["chosen"]) for one in top["folders"]] == [
        ("Notes", "Notes", 1, False), ("Photos", "Photos", 2, False),
    ]  # fmt: skip
    assert (top["files"], top["more"], top["refused"]) == (1, False, 0)

    told(ann.patch("/api/nextcloud", json={"folders": ["/Photos/"]}))
    photos = told(ann.get("/api/nextcloud/folders", params={"path": "Photos"}))
    assert [(one["path"], one["chosen"]) for one in photos["folders"]] == [("Photos/Trip", True)]
    assert photos["files"] == 1
    assert told(ann.get("/api/nextcloud/folders", params={"path": "gone"}), 404)
    assert told(ann.get("/api/nextcloud"))["state"] == "connected"


@pytest.mark.parametrize("path", ["..", "Photos/../..", "a//b", "./a", "a\0b"])
def test_paths_that_lead_elsewhere_are_refused(ann: httpx.Client, cloud: StandIn, path: str) -> None:
    """To look into, and to choose."""
    connect(ann, cloud)
    cloud.forget()

    told(ann.get("/api/nextcloud/folders", params={"path": path}), 400)
    told(ann.patch("/api/nextcloud", json={"folders": [path]}), 400)
    assert cloud.log == []


def test_what_is_chosen_is_kept_and_what_is_left_out_stays(ann: httpx.Client, cloud: StandIn) -> None:
    """Also through a new password; null leaves originals to the settings again."""
    connect(ann, cloud)
    told(
        ann.patch("/api/nextcloud", json={"folders": ["Photos", "", "Photos"], "excludes": ["*.raw", "tmp*", "*.raw"]})
    )
    told(ann.patch("/api/nextcloud", json={"keep_originals": False}))

    seen = connect(ann, cloud)
    assert (seen["folders"], seen["excludes"], seen["keep_originals"]) == (["", "Photos"], ["*.raw", "tmp*"], False)
    assert told(ann.patch("/api/nextcloud", json={"keep_originals": None}))["keep_originals"] is True
    for body in (
        {"folders": [1]},
        {"folders": ["x"] * 1001},
        {"excludes": [""]},
        {"server": "https://y"},
        {"state": "x"},
    ):
        told(ann.patch("/api/nextcloud", json=body), 400)


def test_who_has_no_room_for_the_originals_is_told_so(tmp_path: Path, cloud: StandIn) -> None:
    """Unless they are not kept."""
    narrow = NextcloudSettings(allowed_networks=["127.0.0.1"], least_free_gb=1e9)
    with clouded(tmp_path / "narrow", cloud.trust(), narrow) as world:
        ann = world.as_user("ann")
        [said] = connect(ann, cloud)["advice"]
        assert "GB are free on this disk" in said
        assert told(ann.patch("/api/nextcloud", json={"keep_originals": False}))["advice"] == []


def test_an_account_that_holds_more_than_there_is_room_for_is_told_too(
    ann: httpx.Client, cloud: StandIn, home: World
) -> None:
    """As far as the server tells its size; some of its folders may fit."""
    connect(ann, cloud)
    source = msgspec.structs.replace(home.system.sources.all()[0], used=50 * GB)

    [said] = advice(source, keeps=True, free_here=51 * GB, least_gb=2)
    assert "50.0 GB, and 51.0 GB are free" in said
    assert advice(source, keeps=True, free_here=53 * GB, least_gb=2) == []
    assert advice(source, keeps=False, free_here=1 * GB, least_gb=2) == []
    assert advice(msgspec.structs.replace(source, used=-1), keeps=True, free_here=3 * GB, least_gb=2) == []


def test_a_second_account_has_to_wait_until_the_first_is_gone(ann: httpx.Client, cloud: StandIn) -> None:
    """Its photos would seem to have vanished."""
    connect(ann, cloud)
    other = account(cloud, login="bob", password=cloud.app_password("bob"))
    assert "Disconnect first" in told(ann.put("/api/nextcloud", json=other), 409)["detail"]

    told(ann.delete("/api/nextcloud", params={"keep": True}))
    assert told(ann.put("/api/nextcloud", json=other))["login"] == "bob"


def test_disconnecting_asks_whether_the_photos_stay(ann: httpx.Client, cloud: StandIn, home: World) -> None:
    """And cancels a scan that is under way; nothing of the connection is left."""
    connect(ann, cloud)
    scan = home.system.jobs.create(home.users["ann"].user_id, "scan-nextcloud", {})
    assert "keep=true" in told(ann.delete("/api/nextcloud"), 400)["detail"]
    assert told(ann.get("/api/nextcloud"))["last_scan"]["job_id"] == scan.job_id
    assert home.system.jobs.get(scan.job_id).state == "queued"

    assert told(ann.delete("/api/nextcloud", params={"keep": True})) == {"revoked": False, "job": None}

    assert home.system.jobs.get(scan.job_id).state == "cancelled"
    assert told(ann.get("/api/nextcloud"))["state"] == "none"
    assert home.system.sources.all() == []


def test_photos_that_are_not_to_stay_go_by_a_job_that_can_be_undone(
    ann: httpx.Client, cloud: StandIn, home: World
) -> None:
    """The connection goes at once."""
    connect(ann, cloud)

    job = told(ann.delete("/api/nextcloud", params={"keep": False}))["job"]

    assert (job["action"], job["by"], job["undo"]["path"]) == (
        "leave-nextcloud", home.users["ann"].user_id, "/api/trash/restore",
    )  # fmt: skip
    assert told(ann.get("/api/nextcloud"))["state"] == "none"


def test_everybody_has_their_own_and_administrators_see_nobody_elses(
    ann: httpx.Client, cloud: StandIn, home: World
) -> None:
    """No address leads to another's."""
    connect(ann, cloud)
    for other in ("ben", "root"):
        client = home.as_user(other)
        assert told(client.get("/api/nextcloud"))["state"] == "none"
        told(client.get("/api/nextcloud/folders"), 404)
        told(client.delete("/api/nextcloud", params={"keep": True}), 404)
        told(client.patch("/api/nextcloud", json={"folders": [""]}), 404)
    assert told(ann.get("/api/nextcloud"))["folders"] == []
