"""The page of the trash without scripts: what is in it and until when, and putting it back."""

from tests.api.browsing import Page, browser, sent
from tests.api.test_trash import deleted, listed
from tests.api.world import World

HOSTILE = "<b>{{7*7}}&amp;.jpg"


def test_the_trash_shows_what_each_job_put_there(world: World) -> None:
    """With pictures where there are any; hostile names are text, another owner's photos are not shown."""
    world.user("tilda")
    deleted(world, "tilda", "job-1", "a.jpg", HOSTILE, derived_bytes=100)
    deleted(world, "tilda", "job-2", "c.jpg")
    world.until(lambda: len(listed(world.as_user("tilda"))) == 3)
    client = browser(world, "tilda")

    page = Page(client.get("/trash").raise_for_status())

    assert HOSTILE in page.text
    assert not page.all("b")
    assert "stays until" in page.text
    assert [has["href"] for has in page.all("a") if "/jobs/" in has["href"]] == ["/jobs/job-2", "/jobs/job-1"]
    pictures = [has["src"] for has in page.all("img") if "/api/trash/" in has["src"]]
    assert [client.get(one).status_code for one in pictures] == [200, 200]
    assert "a.jpg" not in Page(browser(world, "ann").get("/trash")).text


def test_photos_are_put_back_by_forms(world: World) -> None:
    """Some, those of a job, and all."""
    world.user("tom")
    a, _ = deleted(world, "tom", "job-1", "a.jpg", "b.jpg")
    deleted(world, "tom", "job-2", "c.jpg")
    deleted(world, "tom", "job-3", "d.jpg", "e.jpg")
    world.until(lambda: len(listed(world.as_user("tom"))) == 5)
    client, to = browser(world, "tom"), "POST /api/trash/restore"

    assert Page(client.get("/trash")).all("input", form="restore", value=a)
    client.post("/form", data={"_to": to, "_back": "/trash", "photo_ids:list": a})
    left = Page(client.get("/trash")).text
    assert "b.jpg" in left
    assert "a.jpg" not in left
    forms = Page(client.get("/trash")).all("input", name="action_id")
    assert [has["value"] for has in forms] == ["job-3", "job-2", "job-1"]
    client.post("/form", data={"_to": to, "_back": "/trash", "action_id": "job-2"})
    assert "c.jpg" not in Page(client.get("/trash")).text
    assert "The trash is empty" in sent(client, "/trash", to).text
