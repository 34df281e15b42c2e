"""An account on the stand-in: is it right, what is in its folders, and what of hostile answers comes through."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from batch.nextcloud.client import Nextcloud
from batch.nextcloud.faults import (
    Changed,
    Foreign,
    Gone,
    Maintenance,
    Refused,
    Unreachable,
)
from batch.nextcloud.transport import Transport
from cluster.errors import Invalid
from tests.batch.nextcloud.conftest import DATA, HASTE, LOOPBACK
from tests.nextcloud.server import StandIn


def paths(nextcloud: Nextcloud, path: str = "") -> list[str]:
    """What is listed."""
    return [item.path for item in nextcloud.list(path)]


def test_an_account_that_is_right_stands_well(cloud: StandIn, nextcloud: Nextcloud):
    """Version, product, whose files, and the quota."""
    cloud.limit(1_000_000)
    found = nextcloud.check()

    assert (found.version, found.product, found.user_id) == ("31.0.5", "Nextcloud", cloud.user)
    assert (found.used, found.free) == (len(DATA) + 110, 1_000_000 - len(DATA) - 110)


def test_a_login_may_be_another_than_the_user(cloud: StandIn, account: Callable[..., Nextcloud]):
    """Somebody logs in with an address; their files are under their id."""
    other = cloud.add("u-4711", login="bob@example.org")
    other.tree.put("x.jpg", b"1")
    theirs = account(other.password, "bob@example.org")

    assert theirs.check().user_id == "u-4711"
    assert paths(theirs) == ["", "x.jpg"]


def test_a_folder_is_listed_itself_first(cloud: StandIn, nextcloud: Nextcloud):
    """With id, ETag, size, time and checksums of files, and how many entries folders have."""
    folder, *inside = nextcloud.list("Photos")
    items = {item.path: item for item in inside}

    assert (folder.path, folder.is_folder, folder.count) == ("Photos", True, 3)
    assert sorted(items) == ["Photos/Trip", "Photos/a.jpg", "Photos/b.jpg"]
    one = items["Photos/a.jpg"]
    assert (one.size, one.mtime, one.is_folder, one.count) == (len(DATA), 1_700_000_000, False, -1)
    assert one.etag == f'"{cloud.tree().etag_of("Photos/a.jpg")}"'
    assert one.file_id == str(cloud.tree().id_of("Photos/a.jpg"))
    assert one.checksum.startswith("SHA1:")
    assert items["Photos/Trip"].count == 1
    assert nextcloud.about("Photos/a.jpg") == one


def test_names_of_every_kind_are_listed_and_read_as_they_are(cloud: StandIn, nextcloud: Nextcloud):
    """What is written into a URL comes back from it."""
    names = [
        "100%.jpg",
        "a#b?c.jpg",
        "Été à la mer.heic",
        "new\nline.jpg",
        "%41.jpg",
        "back\\slash.jpg",
        "q'\"<&>;.jpg",
    ]
    for name in names:
        cloud.put(f"Odd & ends/{name}", name.encode())

    items = [item for item in nextcloud.list("Odd & ends") if not item.is_folder]

    assert sorted(item.path for item in items) == sorted(f"Odd & ends/{name}" for name in names)
    for item in items:
        assert b"".join(nextcloud.read(item.path, item.etag)) == item.path.split("/")[1].encode()


def test_a_wrong_password_is_tried_once_and_never_again(cloud: StandIn, account: Callable[..., Nextcloud]):
    """Nor by other threads that begin at the same time: a server locks out who tries often."""
    wrong = account("not the password")
    refused: list[Refused] = []

    def ask() -> None:
        try:
            list(wrong.list())
        except Refused as error:
            refused.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(refused) == 8
    assert cloud.bad_logins == 1
    assert len(cloud.log) == 1
    with pytest.raises(Refused, match="refused this account before"):
        wrong.check()
    assert cloud.bad_logins == 1


@pytest.mark.parametrize("kind", ["unauthorized", "forbidden"])
def test_an_account_that_is_refused_at_first_asks_nothing_more(cloud: StandIn, nextcloud: Nextcloud, kind: str):
    """Whatever of the two it is: nothing says yet that the password is right."""
    cloud.faults.at(kind)
    with pytest.raises(Refused):
        paths(nextcloud)
    with pytest.raises(Refused, match="before"):
        paths(nextcloud)
    assert len(cloud.log) == 1


def test_an_app_password_that_is_revoked_ends_the_account(cloud: StandIn, account: Callable[..., Nextcloud]):
    """By the user in their settings, or by us when they disconnect."""
    password = cloud.app_password()
    account(password).check()
    account(password).revoke()

    with pytest.raises(Refused):
        account(password).check()


def test_an_original_is_streamed_from_where_it_is_wanted(cloud: StandIn, nextcloud: Nextcloud):
    """The very version that is known; another one, or none, is told."""
    etag = nextcloud.about("Photos/a.jpg").etag
    assert b"".join(nextcloud.read("Photos/a.jpg", etag)) == DATA
    assert b"".join(nextcloud.read("Photos/a.jpg", etag, 150_000)) == DATA[150_000:]
    cloud.faults.at("range_ignored", method="GET")
    assert b"".join(nextcloud.read("Photos/a.jpg", etag, 150_000)) == DATA[150_000:]

    cloud.put("Photos/a.jpg", DATA[::-1])
    with pytest.raises(Changed):
        list(nextcloud.read("Photos/a.jpg", etag, 150_000))
    cloud.delete("Photos/a.jpg")
    with pytest.raises(Gone):
        list(nextcloud.read("Photos/a.jpg", etag))


def test_maintenance_says_when_to_come_back(cloud: StandIn, nextcloud: Nextcloud):
    """The status page says it, and so does every answer."""
    cloud.maintain(retry_after_s=90)
    with pytest.raises(Maintenance, match="maintenance"):
        nextcloud.check()
    with pytest.raises(Maintenance) as told:
        list(nextcloud.list())
    assert told.value.retry_after_s == 90


def test_something_else_than_a_nextcloud_is_told(cloud: StandIn, nextcloud: Nextcloud):
    """A page instead of the status."""
    cloud.faults.always("page")
    with pytest.raises(Foreign, match="no Nextcloud"):
        nextcloud.check()


def test_a_certificate_of_nobody_known_is_told(cloud: StandIn, tmp_path: Path):
    """Without the authority of the stand-in no request is sent."""
    with pytest.raises(Unreachable, match=r"certificate .* not to be trusted"):
        Nextcloud(cloud.url, cloud.user, cloud.password, Transport(LOOPBACK, HASTE)).check()
    assert cloud.log == []


@pytest.mark.parametrize("path", ["..", "Photos/../../bob", "a//b", "/Photos", "Photos/", "./a", "a\0b", "\ud800"])
def test_a_path_that_leads_elsewhere_is_not_asked_for(cloud: StandIn, nextcloud: Nextcloud, path: str):
    """Whoever names it: nothing below the user's files is called so."""
    nextcloud.check()
    cloud.forget()
    for ask in (nextcloud.list, nextcloud.about, lambda path: nextcloud.read(path, "")):
        with pytest.raises(Invalid, match="no path"):
            list(ask(path))
    assert cloud.log == []


def test_a_login_that_cannot_be_is_refused_here(account: Callable[..., Nextcloud]):
    """Where a colon would end the name and begin the password."""
    with pytest.raises(Invalid, match="colon"):
        account(login="ann:x")
