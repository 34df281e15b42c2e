"""The bytes of photos over HTTP: caching, ranges, names, and nothing outside the owner's folder."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from cluster.store.schema import changes_of
from tests.api.world import World

BODY = bytes(range(256)) * 1200  # more than one chunk


@pytest.fixture(scope="module")
def video(world: World) -> str:
    """The address of a video's original."""
    photo_id = world.photo("ann", "films/clip.mp4", BODY, kind="video", duration_s=3.0)
    return f"/api/photos/{photo_id}/original"


@pytest.fixture(scope="module")
def ann(world: World) -> httpx.Client:
    """A logged-in client."""
    return world.as_user("ann")


def test_a_thumbnail_named_by_its_content_may_be_kept_for_ever(world: World, ann: httpx.Client) -> None:
    """Privately; other content has another address."""
    photo_id = world.photo("ann", "kept.jpg")

    answer = ann.get(f"/api/photos/{photo_id}/thumbnail/square", params={"v": photo_id})

    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_thumbnail_not_named_by_its_content_is_asked_for_again(world: World, ann: httpx.Client) -> None:
    """A photo may be edited in place and keep its id, so an address without its content must not be immutable."""
    photo_id = world.photo("ann", "edited.jpg")

    for params in ({}, {"v": "of other content"}):
        answer = ann.get(f"/api/photos/{photo_id}/thumbnail/small", params=params)
        assert answer.headers["cache-control"] == "private, no-cache"


def test_a_known_thumbnail_is_not_sent_again(world: World, ann: httpx.Client) -> None:
    """304 for its ETag, also weak or among others; 200 for any other."""
    path = f"/api/photos/{world.photo('ann', 'known.jpg')}/thumbnail/preview"
    etag = ann.get(path).headers["etag"]

    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = ann.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert "cache-control" in answer.headers
    assert ann.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_sizes_of_one_photo_have_different_etags(world: World, ann: httpx.Client) -> None:
    """A cache must not take one for the other."""
    photo_id = world.photo("ann", "sizes.jpg")

    etags = {ann.get(f"/api/photos/{photo_id}/thumbnail/{size}").headers["etag"] for size in ("big", "small")}

    assert len(etags) == 2


def test_a_thumbnail_that_is_not_made_yet_says_so(world: World, ann: httpx.Client) -> None:
    """404, with what to do; the same for a link in its place."""
    photo_id = world.photo("ann", "unmade.jpg")
    derived = world.settings.derived / world.users["ann"].user_id / photo_id[:2] / f"{photo_id}.big.webp"
    derived.unlink()
    derived.symlink_to("/etc/passwd")

    answer = ann.get(f"/api/photos/{photo_id}/thumbnail/big")

    assert answer.status_code == 404
    assert "scan" in answer.json()["detail"]


def test_an_original_is_downloaded_as_it_is(ann: httpx.Client, video: str) -> None:
    """Byte for byte, as an attachment of a fixed type that browsers do not second-guess."""
    answer = ann.get(video)

    assert answer.content == BODY
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-disposition"].startswith('attachment; filename="clip.mp4"')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == str(len(BODY))


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=1000-", 1000, len(BODY) - 1),
        ("bytes=-10", len(BODY) - 10, len(BODY) - 1),
        ("bytes=300000-9999999", 300000, len(BODY) - 1),
        (f"bytes=-{10**9}", 0, len(BODY) - 1),
    ],
)
def test_a_range_is_answered_with_just_that(ann: httpx.Client, video: str, asked: str, first: int, last: int) -> None:
    """206, so that players can seek."""
    answer = ann.get(video, headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(BODY)}"
    assert answer.headers["content-length"] == str(last - first + 1)
    assert answer.content == BODY[first : last + 1]


@pytest.mark.parametrize("asked", [f"bytes={len(BODY)}-", "bytes=99999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_refused_with_the_size(ann: httpx.Client, video: str, asked: str) -> None:
    """416, and where a range would have to lie."""
    answer = ann.get(video, headers={"Range": asked})

    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(BODY)}"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=a-b", "items=0-5", "bytes=", "bytes=-", "bytes=0-1,5-6", "x"])
def test_what_is_no_single_range_is_ignored(ann: httpx.Client, video: str, asked: str) -> None:
    """The whole file, as HTTP says."""
    answer = ann.get(video, headers={"Range": asked})

    assert answer.status_code == 200
    assert answer.content == BODY


def test_a_range_of_another_version_is_not_spliced(world: World, ann: httpx.Client) -> None:
    """If-Range with the ETag of before the file changed gets the whole new file."""
    photo_id = world.photo("ann", "growing.mp4", b"old bytes")
    path = f"/api/photos/{photo_id}/original"
    before = ann.get(path).headers["etag"]
    original = Path(world.users["ann"].scan_directory) / "growing.mp4"

    same = ann.get(path, headers={"Range": "bytes=4-", "If-Range": before})
    original.write_bytes(b"new and longer bytes")
    changed = ann.get(path, headers={"Range": "bytes=4-", "If-Range": before})

    assert (same.status_code, same.content) == (206, b"bytes")
    assert (changed.status_code, changed.content) == (200, b"new and longer bytes")


def test_an_original_the_client_has_is_not_sent_again(ann: httpx.Client, video: str) -> None:
    """304, without the headers of a body."""
    etag = ann.get(video, headers={"Range": "bytes=0-0"}).headers["etag"]

    answer = ann.get(video, headers={"If-None-Match": etag})

    assert answer.status_code == 304
    assert "content-disposition" not in answer.headers


def test_a_variant_is_chosen_by_its_file(world: World, ann: httpx.Client) -> None:
    """And a file of another photo, or of nobody, is not among this photo's."""
    one, other = world.photo("ann", "v/one.jpg", b"first"), world.photo("ann", "v/other.jpg", b"second")
    variant = ann.get(f"/api/photos/{other}").json()["variants"][0]

    assert ann.get(variant["original"]).content == b"second"
    assert ann.get(f"/api/photos/{one}/original", params={"file_id": variant["file_id"]}).status_code == 404
    assert ann.get(f"/api/photos/{one}/original", params={"file_id": "0" * 32}).status_code == 404


def point(world: World, photo_id: str, path: bytes) -> None:
    """Make a photo's main file claim another path."""
    files = world.library("ann").files
    main = world.library("ann").photos.get(photo_id)
    assert main
    files.update(changes_of([{"file_id": main["main_file_id"], "path": path}], files.schema))


def test_nothing_outside_the_scan_directory_is_ever_sent(world: World, ann: httpx.Client) -> None:
    """Whatever a row says and whatever links lie in the folder: 404, with the same words."""
    photo_id = world.photo("ann", "trap.jpg", b"harmless")
    folder = Path(world.users["ann"].scan_directory)
    secret = folder.parent / "secret.jpg"
    secret.write_bytes(b"another's")
    (folder / "link.jpg").symlink_to(secret)
    (folder / "linked").symlink_to(folder.parent)
    os.mkfifo(folder / "pipe.jpg")
    hostile = [
        b"../secret.jpg", b"x/../../secret.jpg", b"/etc/passwd", b"link.jpg", b"linked/secret.jpg", b"pipe.jpg",
        b"", b".", b"..", b"a//b", b"./trap.jpg", b"trap.jpg/", b"trap.jpg\0", b"x" * 5000, b".\xff",
    ]  # fmt: skip

    told = set()
    for path in hostile:
        point(world, photo_id, path)
        answer = ann.get(f"/api/photos/{photo_id}/original")
        told.add((answer.status_code, answer.json()["detail"]))

    assert {status for status, _ in told} == {404}
    assert len(told) == 1
    point(world, photo_id, b"trap.jpg")
    assert ann.get(f"/api/photos/{photo_id}/original").content == b"harmless"


def test_originals_are_not_sent_without_a_scan_directory(world: World) -> None:
    """When an administrator took it away."""
    world.user("jana")
    photo_id = world.photo("jana", "one.jpg")
    world.system.users.set_scan_directory(world.users["jana"].user_id, "")

    answer = world.as_user("jana").get(f"/api/photos/{photo_id}/original")

    assert answer.status_code == 404
    assert "scan directory" in answer.json()["detail"]


def test_reading_originals_changes_nothing_and_leaves_nothing_open(world: World, ann: httpx.Client) -> None:
    """Bytes and times are as before, and no descriptor stays when clients go away in the middle of a long film."""
    photo_id = world.photo("ann", "long film.mp4", b"begin", kind="video")
    original = Path(world.users["ann"].scan_directory) / "long film.mp4"
    os.truncate(original, 64 * 2**20)
    before = original.stat()

    def held() -> int:
        return sum(target.endswith("long film.mp4") for target in open_files())

    for _ in range(3):
        with ann.stream("GET", f"/api/photos/{photo_id}/original") as answer:
            body = answer.iter_bytes(1024)
            assert next(body).startswith(b"begin")
            assert held() > 0

    world.until(lambda: held() == 0)
    after = original.stat()
    assert (after.st_mtime_ns, after.st_size, after.st_mode) == (before.st_mtime_ns, before.st_size, before.st_mode)


def open_files() -> Iterator[str]:
    """What this process has open; other threads close theirs while we look."""
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            yield os.readlink(link)
