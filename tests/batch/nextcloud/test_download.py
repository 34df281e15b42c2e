"""Files fetched to disk: whole, of one version, with the right bytes, under whatever goes wrong on the way."""

import threading

import httpx
import msgspec
import pytest

from batch.nextcloud.client import Downloaded, Item, Nextcloud
from batch.nextcloud.download import Download, Source
from batch.nextcloud.faults import Changed, Gone, Short, Unreachable, Withheld
from batch.nextcloud.transport import Answer, Transport
from tests.batch.nextcloud.conftest import DATA, HASTE, LOOPBACK, Place
from tests.nextcloud.server import StandIn

A = "Photos/a.jpg"
NEW = DATA.translate(bytes(255 - value for value in range(256)))  # what the stand-in makes of a file that changes


def test_a_file_is_fetched_whole(nextcloud: Nextcloud, place: Place):
    """With its time, progress up to its size, and nothing left beside it."""
    item = nextcloud.about(A)
    done = place.fetch(nextcloud, item)

    assert place.to.read_bytes() == DATA
    assert done == Downloaded(item.etag, len(DATA), 1_700_000_000)
    assert place.to.stat().st_mtime == 1_700_000_000
    assert sum(place.told) == len(DATA)
    assert place.left == []


@pytest.mark.parametrize("size", [0, 1, 4096, 4097])
def test_small_and_empty_files_are_fetched(cloud: StandIn, nextcloud: Nextcloud, place: Place, size: int):
    """Down to no bytes at all."""
    cloud.put(A, DATA[:size])
    assert place.fetch(nextcloud, nextcloud.about(A)).size == size
    assert place.to.read_bytes() == DATA[:size]


@pytest.mark.parametrize("checksums", [("SHA1", "MD5", "ADLER32"), ()])
@pytest.mark.parametrize(
    "kind",
    [
        *("reset_before", "closed_before", "reset_midway", "short_body", "garbage", "garbage_chunked", "head_too_long"),
        *("gzip_unasked", "length_too_long", "length_too_short", "cut_without_length", "endless", "page", "clock_off"),
        *("locked", "broken", "bad_gateway", "gateway_timeout", "empty", "throttled_nonsense", "redirect_same"),
        *("stall", "stall_midway", "drip", "drip_head", "gzip_bomb"),
    ],
)
def test_what_passes_leaves_the_right_bytes(
    cloud: StandIn, nextcloud: Nextcloud, place: Place, kind: str, checksums: tuple[str, ...]
):
    """With the server's checksums and without."""
    cloud.tree().checksums = checksums
    cloud.faults.measures.stall_s = 0.9
    cloud.faults.measures.bomb_bytes = 8 << 20
    item = nextcloud.about(A)
    cloud.faults.at(kind, method="GET")

    done = place.fetch(nextcloud, item)

    assert place.to.read_bytes() == DATA
    assert done.etag == item.etag
    assert cloud.faults.counted[kind] == 1
    assert sum(place.told) == len(DATA)
    assert place.left == []


@pytest.mark.parametrize("checksums", [("ADLER32",), ()])
@pytest.mark.parametrize(
    "kind",
    ["range_ignored", "range_shifted", "range_unsaid", "range_from_start", "other_version", "other_version_hidden"],
)
def test_a_part_goes_on_with_its_own_version_only(
    cloud: StandIn, nextcloud: Nextcloud, place: Place, kind: str, checksums: tuple[str, ...]
):
    """After a break: other bytes than those asked for start the file anew, also where the server hides it."""
    cloud.tree().checksums = checksums
    item = nextcloud.about(A)
    cloud.faults.at("reset_midway", method="GET").at(kind, method="GET")

    place.fetch(nextcloud, item)

    assert place.to.read_bytes() == DATA
    assert cloud.faults.counted[kind] == 1


def test_a_part_is_asked_for_with_the_version_it_is_of(cloud: StandIn, nextcloud: Nextcloud, place: Place):
    """Range and If-Range, a little before the end of what is there."""
    item = nextcloud.about(A)
    cloud.faults.at("reset_midway", method="GET")
    cloud.forget()
    place.fetch(nextcloud, item)

    _, second = cloud.seen("GET")
    assert second.status == 206
    assert second.headers["if-range"] == item.etag
    assert 0 < int(second.headers["range"].removeprefix("bytes=").removesuffix("-")) < len(DATA) // 2


def test_a_weak_version_is_fetched_from_its_beginning(cloud: StandIn, nextcloud: Nextcloud, place: Place):
    """Bytes of two answers under a weak ETag need not fit together."""
    item = msgspec.structs.replace(nextcloud.about(A), etag=f"W/{nextcloud.about(A).etag}")
    cloud.faults.at("reset_midway", method="GET")
    cloud.forget()
    place.fetch(nextcloud, item)

    assert [seen.headers.get("range") for seen in cloud.seen("GET")] == [None, None]
    assert place.to.read_bytes() == DATA


@pytest.mark.parametrize("checksums", [("SHA1",), ()])
@pytest.mark.parametrize("kind", ["changed_before", "changed_midway"])
def test_a_file_that_changes_meanwhile_is_its_new_version(
    cloud: StandIn, nextcloud: Nextcloud, place: Place, kind: str, checksums: tuple[str, ...]
):
    """All of it: never the beginning of one and the end of another."""
    cloud.tree().checksums = checksums
    old = nextcloud.about(A)
    cloud.faults.at(kind, method="GET")

    done = place.fetch(nextcloud, old)

    assert place.to.read_bytes() == NEW
    assert done.etag == nextcloud.about(A).etag != old.etag
    assert sum(place.told) == len(DATA)


def test_a_file_that_changes_all_the_time_is_given_up(cloud: StandIn, nextcloud: Nextcloud, place: Place):
    """After a few versions, with none of them on disk."""
    item = nextcloud.about(A)
    cloud.faults.always("changed_before", method="GET")
    with pytest.raises(Changed):
        place.fetch(nextcloud, item)
    assert not place.to.exists()
    assert len(cloud.seen("GET", A)) == HASTE.restarts + 1


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("spliced", Short),
        ("length_too_short", Short),
        ("cut_without_length", Short),
        ("page", Short),
        ("endless", Short),
        ("missing", Gone),
        ("broken", Unreachable),
        ("reset_before", Unreachable),
    ],
)
def test_what_does_not_pass_leaves_nothing_under_the_final_name(
    cloud: StandIn, nextcloud: Nextcloud, place: Place, kind: str, fault: type[Exception]
):
    """A few tries, then a sentence; and what was there before stays."""
    item = nextcloud.about(A)
    place.to.parent.mkdir(parents=True)
    place.to.write_bytes(b"the version before")
    cloud.faults.always(kind, method="GET")

    with pytest.raises(fault, match=r"\.$"):
        place.fetch(nextcloud, item)

    assert place.to.read_bytes() == b"the version before"
    assert len(cloud.seen("GET")) <= 2 * HASTE.tries


@pytest.mark.parametrize(
    ("name", "told"), [("etag", ""), ("etag", '"another"'), ("content-range", f"bytes 95904-199999/{len(DATA) + 1}")]
)
def test_a_part_that_does_not_say_what_it_is_of_is_put_behind_nothing(
    cloud: StandIn, place: Place, name: str, told: str
):
    """Though everything else of the answer is right, and its bytes are too."""
    transport = Transport(LOOPBACK, HASTE, cloud.trust())
    auth = httpx.BasicAuth(cloud.user, cloud.password)
    nextcloud = Nextcloud(cloud.url, cloud.user, cloud.password, transport)

    def spoilt(headers: dict[str, str]) -> Answer:
        answer = transport.ask("GET", f"{cloud.dav}/{A}", (200, 206), auth=auth, headers=headers)
        if answer.status == 206:
            answer.headers = {**answer.headers, name: told}
        return answer

    source = Source(spoilt, lambda: nextcloud.about(A))
    cloud.faults.at("reset_midway", method="GET", path=A)
    Download(source, place.to, place.partial, HASTE, place.told.append, lambda: False).fetch(nextcloud.about(A))
    transport.close()

    assert place.to.read_bytes() == DATA
    assert [seen.status for seen in cloud.seen("GET", A)] == [200, 206, 200]


def test_a_file_that_is_a_folder_by_now_is_gone(nextcloud: Nextcloud, place: Place):
    """Its name is another thing's."""

    def changed(headers: dict[str, str]) -> Answer:
        raise Changed("It has changed.")

    source = Source(changed, lambda: nextcloud.about("Photos"))
    with pytest.raises(Gone, match="folder by now"):
        Download(source, place.to, place.partial, HASTE, place.told.append, lambda: False).fetch(nextcloud.about(A))


def test_a_file_that_is_withheld_leaves_the_others(cloud: StandIn, nextcloud: Nextcloud, place: Place):
    """The password is right, and what is not to be downloaded is one share."""
    item = nextcloud.about(A)
    cloud.faults.at("forbidden", method="GET", path="Photos/b.jpg")
    with pytest.raises(Withheld, match="does not allow"):
        place.fetch(nextcloud, nextcloud.about("Photos/b.jpg"))
    assert place.fetch(nextcloud, item).size == len(DATA)


def test_many_at_once_are_each_right(cloud: StandIn, nextcloud: Nextcloud, place: Place):
    """One account, several threads, breaks on the way."""
    for number in range(12):
        cloud.put(f"Many/{number}.jpg", DATA[number:])
    cloud.faults.sometimes("reset_midway", 0.3, method="GET")
    items = [item for item in nextcloud.list("Many") if not item.is_folder]

    def fetch(item: Item) -> None:
        nextcloud.download(item, place.to.parent / item.path, place.partial)

    threads = [threading.Thread(target=fetch, args=(item,)) for item in items]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    for number in range(12):
        assert (place.to.parent / f"Many/{number}.jpg").read_bytes() == DATA[number:]
    assert cloud.faults.counted["reset_midway"] > 0
