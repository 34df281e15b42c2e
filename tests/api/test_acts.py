"""Acts over HTTP: their pages, taking them back, and that they are nobody else's."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from cluster.store.people import id_of
from tests.api.album import face, naming
from tests.api.world import World, answering, build

KIM, LEE = id_of("Kim"), id_of("Lee")


@pytest.fixture
def house(fresh: World) -> World:
    """Ann with a face of Kim's and one of Lee's, and Ben."""
    fresh.user("ben")
    for name in ("Kim", "Lee"):
        naming(fresh, "ann").label([face(fresh, "ann", fresh.photo("ann", f"{name}.jpg"))], name=name)
    return fresh


def acts(client: httpx.Client, **wanted: Any) -> list[dict[str, Any]]:
    """All pages of acts."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/api/people/acts", params={**wanted, "cursor": cursor}).raise_for_status().json()
        found, cursor = [*found, *page["acts"]], page["next_cursor"]
    return found


def undo(client: httpx.Client, act_id: str) -> httpx.Response:
    """Take an act back."""
    return client.post(f"/api/people/acts/{act_id}/undo")


def names(client: httpx.Client) -> list[str]:
    """The people there are."""
    return [one["name"] for one in client.get("/api/people").raise_for_status().json()["people"]]


def test_a_merger_is_taken_back(house: World) -> None:
    """The list says what it was; its answer, that and when it was undone; and it is seen at once."""
    me = house.as_user("ann")
    me.post("/api/people/merge", json={"into": KIM, "others": [LEE]}).raise_for_status()
    assert names(me) == ["Kim"]

    act = acts(me, limit=1)[0]
    assert (act["kind"], act["text"], act["names"], act["faces"]) == ("merge", "Kim and Lee merged", ["Kim", "Lee"], 1)
    assert (act["made_by"], act["undone_at"]) == (house.users["ann"].user_id, None)
    kept = datetime.fromisoformat(act["kept_until"]) - datetime.fromisoformat(act["made_at"])
    assert kept == timedelta(days=30)
    done = undo(me, act["act_id"])

    assert done.status_code == 200
    assert done.json()["undone_at"]
    assert names(me) == ["Kim", "Lee"]
    assert acts(me)[0] == done.json()
    assert undo(me, act["act_id"]).json() == done.json()


def test_acts_are_paged_newest_first(house: World) -> None:
    """Each once; a cursor that is none of ours is refused."""
    me = house.as_user("ann")
    me.patch(f"/api/people/{KIM}", json={"name": "Kay", "hidden": True}).raise_for_status()

    wanted = ["Kay hidden", "Kim renamed Kay", "a face labeled Lee", "a face labeled Kim"]
    assert [one["text"] for one in acts(me, limit=1)] == [one["text"] for one in acts(me)] == wanted
    assert me.get("/api/people/acts", params={"cursor": "x"}).status_code == 400
    assert me.get("/api/people/acts", params={"limit": 0}).status_code == 400


def test_what_is_in_the_way_is_named(house: World) -> None:
    """409, with the act that is to be taken back first."""
    me = house.as_user("ann")
    me.patch(f"/api/people/{LEE}", json={"hidden": True}).raise_for_status()
    later, first, _ = acts(me)

    answer = undo(me, first["act_id"])

    assert answer.status_code == 409
    assert f"Lee hidden (act {later['act_id']})" in answer.json()["detail"]


def test_another_owners_acts_are_like_none(house: World) -> None:
    """404 with the same body as an act that never was, for administrators too; and nothing changes."""
    me = house.as_user("ann")
    act = acts(me)[0]["act_id"]
    for other in ("ben", "root"):
        client = house.as_user(other)
        assert acts(client) == []
        theirs, nobodys = undo(client, act), undo(client, "0" * 32)
        assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    assert names(me) == ["Kim", "Lee"]


def test_old_acts_are_forgotten_while_it_runs(tmp_path: Any) -> None:
    """After as many days as what is in the trash."""
    world = build(tmp_path)
    world.user("ann")
    library = world.library("ann")
    for name in ("old", "new"):
        said = naming(world, "ann")
        said.now = lambda: world.clock.now
        said.label([face(world, "ann", world.photo("ann", f"{name}.jpg"))], name=name)
        world.clock.advance(days=20)

    with answering(world):
        world.until(lambda: library.acts.count() == 1)

        assert [one["names"] for one in acts(world.as_user("ann"))] == [["new"]]
