"""Whatever a server does, requests about it are answered with a sentence, and it is connected again when it is well."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.clouds import account, clouded, connect, told
from tests.api.world import World
from tests.nextcloud.server import StandIn

# What of them shows: the connection works all the same, or a state. Slow kinds are `batch/nextcloud/`'s tests'.
KINDS = {
    "redirect_same": "connected", "gzip_unasked": "connected", "clock_off": "connected", "href_outside": "connected",
    "href_script": "connected", "href_nul": "connected", "etags_missing": "connected", "lists_itself": "connected",
    "unauthorized": "refused", "forbidden": "refused", "maintenance": "maintenance",
    "broken": "unreachable", "closed_before": "unreachable", "reset_midway": "unreachable", "empty": "unreachable",
    "garbage": "unreachable", "endless": "unreachable", "gone": "unreachable", "missing": "unreachable",
    "locked": "unreachable", "page": "unreachable", "redirect_elsewhere": "unreachable", "teapot": "unreachable",
    "redirect_metadata": "unreachable", "redirect_loop": "unreachable", "throttled_for_ever": "unreachable",
    "xml_bomb": "unreachable", "xml_doctype": "unreachable", "huge_text": "unreachable", "short_body": "unreachable",
}  # fmt: skip


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, World]]:
    """One server for all, and a world."""
    root = tmp_path_factory.mktemp("faulty")
    with StandIn(root / "cloud") as cloud, clouded(root / "home", cloud.trust()) as home:
        cloud.put("Photos/a.jpg", b"a")
        yield cloud, home


@pytest.mark.parametrize("kind", KINDS)
def test_no_fault_of_a_server_is_one_of_ours(faulty: tuple[StandIn, World], kind: str) -> None:
    """Connecting, looking into folders and checking answer with what to do; nothing is asked twice that was refused."""
    cloud, home = faulty
    home.clock.advance(hours=25)
    ann, ben = home.as_user("ann"), home.as_user("ben")
    connect(ann, cloud)
    before = cloud.bad_logins
    cloud.faults.always(kind)
    try:
        answers = [
            ben.put("/api/nextcloud", json=account(cloud)),
            ben.post("/api/nextcloud/login", json={"server": cloud.url}),
            ann.get("/api/nextcloud/folders"), ann.get("/api/nextcloud/folders", params={"path": "Photos"}),
        ]  # fmt: skip
        state = told(ann.post("/api/nextcloud/check"))["state"]
    finally:
        cloud.faults.clear()

    assert (state, cloud.faults.counted[kind] > 0, cloud.bad_logins) == (KINDS[kind], True, before)
    assert all(problem(answer) for answer in answers if answer.status_code != 200)
    assert {answer.status_code for answer in answers} <= {200, 400, 403, 404, 409, 429, 503}
    told(ben.delete("/api/nextcloud", params={"keep": True}), 404 if answers[0].status_code != 200 else 200)
    assert connect(ann, cloud)["state"] == "connected"


def problem(answer: httpx.Response) -> bool:
    """Whether an answer says what is wrong, in our words."""
    detail = answer.json()["detail"]
    return detail.endswith(".") and "Traceback" not in detail and "<" not in detail
