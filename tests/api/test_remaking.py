"""Derived pictures that are gone are made again when somebody looks: once, from the same content, or not at all."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from lancedb.expr import Expr, col, lit

from cluster.settings import MediaSettings
from serve_apps.media.addresses import EXTENSIONS, derived_path
from tests.api.world import World, answering, build
from tests.batch.bench_of_one import jpeg


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world of its own, with ann in it."""
    made = build(tmp_path_factory.mktemp("remaking"))
    made.user("ann")
    with answering(made):
        yield made


@pytest.fixture(scope="module")
def ann(home: World) -> httpx.Client:
    """Her client."""
    return home.as_user("ann")


def shown(home: World, name: str, colour: int) -> str:
    """A real photo of hers that has no derived pictures any more; its content."""
    return named(home, name, jpeg(colour))


def named(home: World, name: str, data: bytes) -> str:
    """A photo of hers of these bytes, without derived pictures; its content."""
    content = hashlib.sha256(data).hexdigest()[:32]
    home.photo("ann", name, data, photo_id=content, content_id=content)
    files = home.library("ann").files
    files.change(col("name") == lit(name), {"content_id": content, "photo_id": content})
    for path in pictures(home, content):
        path.unlink(missing_ok=True)
    return content


def pictures(home: World, content: str) -> list[Path]:
    """Where a content's pictures are."""
    return [derived_path(home.settings.derived / home.users["ann"].user_id, content, size) for size in EXTENSIONS]


def original(home: World, name: str) -> Path:
    """A photo's file."""
    return Path(home.users["ann"].scan_directory) / name


@pytest.mark.parametrize(("colour", "size"), list(enumerate(EXTENSIONS, 1)))
def test_a_picture_that_is_gone_is_made_again(home: World, ann: httpx.Client, colour: int, size: str) -> None:
    """With all the others of its photo; the second request finds it."""
    content = shown(home, f"{size}.jpg", colour)

    answers = [ann.get(f"/api/photos/{content}/thumbnail/{size}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert answers[0].content[:2] == (b"\xff\xd8" if size == "preview" else b"RI")
    assert all(path.stat().st_size > 0 for path in pictures(home, content))


def test_fifty_who_ask_at_once_get_it_from_one_making(home: World) -> None:
    """Each of them is answered, and the original is decoded once."""
    content = shown(home, "wanted.jpg", 11)
    before, start = home.app.state.remaking.made, threading.Barrier(50)  # type: ignore[union-attr]

    def ask(number: int) -> int:
        with httpx.Client(base_url=home.http.url, headers=bearer(home), timeout=60) as client:
            start.wait()
            return client.get(f"/api/photos/{content}/thumbnail/{list(EXTENSIONS)[number % 4]}").status_code

    with ThreadPoolExecutor(50) as people:
        assert list(people.map(ask, range(50))) == [200] * 50
    assert home.app.state.remaking.made == before + 1  # type: ignore[union-attr]


def bearer(home: World) -> dict[str, str]:
    """The header of her session."""
    return {"Authorization": f"Bearer {home.token('ann')}"}


def test_the_library_counts_what_was_made_again(home: World, ann: httpx.Client) -> None:
    """What its pictures take is what lies on the disk."""
    content = shown(home, "counted.jpg", 12)
    home.library("ann").photos.change(same(content), {"derived_bytes": 0})

    ann.get(f"/api/photos/{content}/thumbnail/small")

    size = sum(path.stat().st_size for path in pictures(home, content))
    home.until(lambda: photo(home, content)["derived_bytes"] == size)


def same(content: str) -> Expr:
    """Lets one photo through."""
    return col("content_id") == lit(content)


def photo(home: World, content: str) -> dict[str, int]:
    """A photo's row."""
    found = home.library("ann").photos.get(content)
    assert found
    return found


def test_an_original_that_was_changed_is_not_taken_for_what_it_was(home: World, ann: httpx.Client) -> None:
    """It has another content: nothing is written, for neither of the two, and the answer says what to do."""
    content = shown(home, "edited.jpg", 13)
    original(home, "edited.jpg").write_bytes(jpeg(14))

    answer = ann.get(f"/api/photos/{content}/thumbnail/small")

    assert answer.status_code == 404
    assert "changed since it was scanned; scan again" in answer.json()["detail"]
    other = hashlib.sha256(jpeg(14)).hexdigest()[:32]
    assert not any(path.exists() for path in [*pictures(home, content), *pictures(home, other)])


def test_an_original_that_is_gone_is_said_to_be(home: World, ann: httpx.Client) -> None:
    """404, and once it is back the picture is there again."""
    content = shown(home, "gone.jpg", 15)
    away = original(home, "gone.jpg").rename(home.root / "away.jpg")

    answer = ann.get(f"/api/photos/{content}/thumbnail/small")

    assert answer.status_code == 404
    assert "not there any more" in answer.json()["detail"]
    away.rename(original(home, "gone.jpg"))
    assert ann.get(f"/api/photos/{content}/thumbnail/small").status_code == 200


def test_what_cannot_be_decoded_is_a_sentence_and_no_fault_of_ours(home: World, ann: httpx.Client) -> None:
    """A file with the content that is known, which is no picture."""
    data = b"\xff\xd8\xff\xe0 no picture"
    content = hashlib.sha256(data).hexdigest()[:32]
    shown(home, "broken.jpg", 16)
    home.library("ann").photos.change(col("name") == lit("broken.jpg"), {"content_id": content})
    home.library("ann").files.change(col("name") == lit("broken.jpg"), {"content_id": content})
    original(home, "broken.jpg").write_bytes(data)
    photo_id = hashlib.sha256(jpeg(16)).hexdigest()[:32]

    answer = ann.get(f"/api/photos/{photo_id}/thumbnail/small")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "cannot be made again" in answer.json()["detail"]


def test_a_file_that_kills_its_decoder_is_a_sentence_and_not_tried_again_at_once(tmp_path: Path) -> None:
    """The server answers on, and a photo after it has its pictures."""
    hostile = MediaSettings(child=(str(Path(__file__).parent / "hostile_child.py"),), wall_s=5)
    made = build(tmp_path, media=hostile)
    made.user("ann")
    with answering(made):
        client, bad = made.as_user("ann"), named(made, "bad.jpg", b"segfault please")
        good = shown(made, "good.jpg", 19)

        answers = [client.get(f"/api/photos/{bad}/thumbnail/small") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert all("crashed" in answer.json()["detail"] for answer in answers)
        assert client.get(f"/api/photos/{good}/thumbnail/small").status_code == 200


def test_no_picture_is_made_of_a_file_outside_the_folder(home: World, ann: httpx.Client) -> None:
    """Whatever a row says, and by whatever link."""
    content = shown(home, "inside.jpg", 17)
    outside = home.root / "outside"
    outside.mkdir()
    original(home, "inside.jpg").rename(outside / "inside.jpg")
    (original(home, "inside.jpg").parent / "link").symlink_to(outside)
    for path in (b"link/inside.jpg", b"../../outside/inside.jpg", bytes(outside / "inside.jpg")):
        home.library("ann").files.change(col("name") == lit("inside.jpg"), {"path": path})
        assert ann.get(f"/api/photos/{content}/thumbnail/small").status_code == 404
    assert not any(path.exists() for path in pictures(home, content))


def test_a_caption_is_made_of_a_preview_that_was_gone(home: World, ann: httpx.Client) -> None:
    """It is made again for the captioner, too."""
    content = shown(home, "captioned.jpg", 18)

    assert ann.post(f"/api/photos/{content}/caption").status_code == 200
    assert all(path.exists() for path in pictures(home, content))
