"""Search by a picture that is sent: over real HTTP, decoded by a real child, found in real vectors."""

import io
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pillow_heif
import psutil
import pytest
import simplejpeg
import skimage.data

from api.cookies import PLAIN
from cluster.settings import MediaSettings
from tests.api.world import World, answering, build

ADDRESS = "/api/search/image"
CAT = simplejpeg.encode_jpeg(skimage.data.chelsea(), quality=85)
CUP = simplejpeg.encode_jpeg(skimage.data.coffee(), quality=85)
CAT_WORDS, CUP_WORDS = "300x451x3", "400x600x3"  # what the stand-in for CLIP sees in them
HOSTILE = MediaSettings(child=(str(Path(__file__).parent / "hostile_child.py"),), wall_s=2)
BYTES = {"Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world of two users, with photos of both, whose decode child does what the files say."""
    made = build(tmp_path_factory.mktemp("guarded"), media=HOSTILE)
    for name in ("ann", "ben"):
        made.user(name)
    made.photo("ann", "cat.jpg", search_text=CAT_WORDS)
    made.photo("ann", "cup.jpg", search_text=CUP_WORDS)
    made.photo("ann", "gone.jpg", search_text=CAT_WORDS, missing=True)
    made.photo("ben", "bens-cat.jpg", search_text=CAT_WORDS)
    with answering(made):
        yield made


@pytest.fixture
def ann(guarded: World) -> Iterator[httpx.Client]:
    """A client of Ann's; whatever a test sends, no file of it is left."""
    yield guarded.as_user("ann")
    assert list((guarded.settings.root / "uploads").iterdir()) == []


def sent(client: httpx.Client, data: Any, content_type: str = "image/jpeg", **params: Any) -> httpx.Response:
    """The answer to a picture sent as the body."""
    return client.post(ADDRESS, content=data, headers={"Content-Type": content_type}, params=params)


def names(answer: httpx.Response) -> list[str]:
    """The names of the hits."""
    assert answer.status_code == 200, answer.text
    return [hit["photo"]["name"] for hit in answer.json()["hits"]]


@pytest.mark.parametrize(
    "content_type", ["image/jpeg", "application/octet-stream", "IMAGE/x-unheard-of; a=b", "video/mp4"]
)
def test_the_photo_itself_is_found_first(ann: httpx.Client, content_type: str) -> None:
    """With its likeness, whatever the sender says the picture is; missing photos are not found."""
    answer = sent(ann, CUP, content_type)

    assert names(answer) == ["cup.jpg", "cat.jpg"]
    assert answer.json()["hits"][0]["score"] == pytest.approx(1, abs=1e-3)


def test_a_form_with_one_file_is_as_good(ann: httpx.Client) -> None:
    """As browsers and `curl -F` send it, with other fields beside it."""
    answer = ann.post(ADDRESS, files={"file": ("c.jpg", CAT)}, data={"note": "x" * 1000}, params={"limit": 1})

    assert names(answer) == ["cat.jpg"]


def test_other_kinds_of_pictures_are_decoded_as_in_a_scan(ann: httpx.Client) -> None:
    """HEIC is what telephones send."""
    file = io.BytesIO()
    pillow_heif.from_bytes("RGB", (451, 300), skimage.data.chelsea().tobytes()).save(file, quality=80)

    assert names(sent(ann, file.getvalue(), "image/heic"))[0] == "cat.jpg"


def test_nobody_gets_an_answer(guarded: World) -> None:
    """401, and nothing is decoded."""
    assert sent(guarded.client(), CAT).status_code == 401


def test_each_user_finds_their_own_photos_only(guarded: World, ann: httpx.Client) -> None:
    """Though the same picture lies in both libraries."""
    assert names(sent(guarded.as_user("ben"), CAT)) == ["bens-cat.jpg"]
    assert names(sent(ann, CAT)) == ["cat.jpg", "cup.jpg"]


def png(width: int, height: int) -> bytes:
    """A PNG that says it is of this size and has next to nothing in it."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0" * 100))]
    made = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(made) + b"\0\0\0\0IEND\xaeB`\x82"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no picture in the request"),
        (CAT[:300], ""),
        (png(100_000, 100_000), "pixels"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>", "text"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "text"),
        (b"PK\x03\x04\x14\0\0\0\x08\0" + b"\0" * 100, "no picture or video"),
        (os.urandom(5000), ""),
    ],
    ids=["empty", "truncated", "bomb", "svg", "html", "zip", "noise"],
)
def test_what_is_no_picture_is_refused_with_a_sentence(ann: httpx.Client, data: bytes, sentence: str) -> None:
    """400, with what the decoder says of it, and nothing of the place it lay in."""
    for answer in (sent(ann, data), ann.post(ADDRESS, files={"file": ("a.jpg", data)})):
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert sentence in answer.json()["detail"]
        assert "uploads" not in answer.text
        assert "/etc" not in answer.text


@pytest.mark.parametrize("how", ["announced", "in pieces", "as a form"])
def test_a_picture_that_is_too_large_is_not_received(ann: httpx.Client, how: str) -> None:
    """413, naming the setting: at once when its size is announced, else when it has gone too far."""
    piece = CAT + b"\0" * ((1 << 20) - len(CAT))
    bodies: dict[str, Any] = {"announced": piece * 51, "in pieces": (piece for _ in range(51))}

    answer = ann.post(ADDRESS, files={"file": piece * 51}) if how == "as a form" else sent(ann, bodies[how])

    assert answer.status_code == 413
    assert "50 MB" in answer.json()["detail"]
    assert "api.upload_mb" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [("segfault", "crashed"), ("leave", "left"), ("garble", "senseless"), ("hang", "hung on this file")],
)
def test_a_picture_that_ends_the_decoder_costs_only_its_own_request(
    ann: httpx.Client, mark: str, sentence: str
) -> None:
    """400 for it; the next one, and one at the same time, are answered as ever."""
    refused: list[httpx.Response] = []
    harm = threading.Thread(target=lambda: refused.append(sent(ann, f"{mark} ".encode())))
    harm.start()
    meanwhile = sent(ann, CAT)
    harm.join()

    assert names(meanwhile) == names(sent(ann, CAT)) == ["cat.jpg", "cup.jpg"]
    assert refused[0].status_code == 400
    assert sentence in refused[0].json()["detail"]


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_other_bodies_are_refused_and_told_what_to_send(ann: httpx.Client, content_type: str) -> None:
    """415; what `curl -d` sends without a type is one of them."""
    answer = sent(ann, CAT, content_type)

    assert answer.status_code == 415
    assert "image/jpeg" in answer.json()["detail"]


@pytest.mark.parametrize("content_type", ["image/jpeg", "multipart/form-data; boundary=x", "application/octet-stream"])
def test_no_other_route_takes_a_picture(ann: httpx.Client, content_type: str) -> None:
    """They take JSON and nothing else."""
    answer = ann.post("/api/library/actions/scan", content=CAT, headers={"Content-Type": content_type})

    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


def test_another_sites_form_is_refused_though_the_cookie_comes_with_it(guarded: World) -> None:
    """A form with a file is what other sites' pages can send without being asked."""
    cookie = f"{PLAIN}={guarded.token('ann')}"
    told = {
        "cross-site": guarded.client(Cookie=cookie, **{"Sec-Fetch-Site": "cross-site"}),
        "same-site": guarded.client(Cookie=cookie, **{"Sec-Fetch-Site": "same-site"}),
        "origin": guarded.client(Cookie=cookie, Origin="https://evil.example"),
        "silent": guarded.client(Cookie=cookie),
    }
    for who, client in told.items():
        assert client.post(ADDRESS, files={"file": CAT}).status_code == 403, who
        assert sent(client, CAT).status_code == 403, who

    ours = guarded.client(Cookie=cookie, **{"Sec-Fetch-Site": "same-origin"})
    assert names(ours.post(ADDRESS, files={"file": CAT}))[0] == "cat.jpg"


def test_a_form_that_is_none_is_told_so(ann: httpx.Client) -> None:
    """400: one without a file, one with two, and one that is cut off."""
    field = 'Content-Disposition: form-data; name="file"\r\n\r\nwords'
    kind = "multipart/form-data; boundary=x"
    none = sent(ann, f"--x\r\n{field}\r\n--x--\r\n".encode(), kind)
    half = sent(ann, f"--x\r\n{field}".encode(), kind)
    two = ann.post(ADDRESS, files=[("file", ("a.jpg", CAT)), ("file", ("b.jpg", CUP))])

    assert {none.status_code, half.status_code, two.status_code} == {400}
    assert "no picture in the request" in none.json()["detail"]
    assert "cannot be read" in half.json()["detail"]
    assert "more than one file" in two.json()["detail"]


@pytest.mark.parametrize("name", ["../../../etc/passwd", "a/b.jpg", "x\0.jpg", ".." * 100, "a.php", "a." + "b" * 200])
def test_a_files_name_is_no_path(guarded: World, ann: httpx.Client, name: str) -> None:
    """It decides nothing but which RAW format is tried."""
    before = sorted(path for path in guarded.root.rglob("*") if "store" not in path.parts)

    assert len(names(sent(ann, CAT, name=name))) == 2

    assert sorted(path for path in guarded.root.rglob("*") if "store" not in path.parts) == before


def test_a_name_tells_camera_raw_from_other_files(ann: httpx.Client) -> None:
    """The same bytes are tried as RAW under a camera's name, in the body as in a form."""
    unknown = b"\1\2\3\0" * 200
    plain = sent(ann, unknown).json()["detail"]
    raw = sent(ann, unknown, name="IMG_1.NEF").json()["detail"]

    assert "no picture or video" in plain
    assert "RAW" in raw
    assert ann.post(ADDRESS, files={"file": ("IMG_1.NEF", unknown)}).json()["detail"] == raw


@pytest.mark.parametrize("service", ["clip_embeddings", "image_similarity"])
def test_without_a_service_it_is_said_how_to_start_it(guarded: World, ann: httpx.Client, service: str) -> None:
    """503."""
    guarded.models.down.add(service)
    try:
        answer = sent(ann, CAT)
    finally:
        guarded.models.down.clear()

    assert answer.status_code == 503
    assert f"start-service {service}" in answer.json()["detail"]


def test_an_upload_that_breaks_off_leaves_nothing(guarded: World, ann: httpx.Client) -> None:
    """The sender goes away in the middle; the next one is answered."""
    arriving = guarded.settings.root / "uploads"

    def broken() -> Iterator[bytes]:
        yield CAT[:5000]
        guarded.until(lambda: any(arriving.glob("*/picture")))
        raise OSError("the line is dead")

    with pytest.raises(OSError, match="the line is dead"):
        sent(guarded.client(guarded.token("ann")), broken())

    guarded.until(lambda: not any(arriving.iterdir()))
    assert names(sent(ann, CAT))[0] == "cat.jpg"


def test_only_this_user_could_read_what_arrives(guarded: World, ann: httpx.Client) -> None:
    """Files lie in folders that are closed to all others."""
    arriving, seen = guarded.settings.root / "uploads", []

    def watched() -> Iterator[bytes]:
        yield CAT[:100]
        guarded.until(lambda: any(arriving.glob("*/picture")))
        seen.extend(folder.stat().st_mode & 0o077 for folder in (arriving, *arriving.iterdir()))
        yield CAT[100:]

    assert names(sent(ann, watched()))[0] == "cat.jpg"
    assert seen == [0, 0]


def test_decoders_end_with_the_server_and_leftovers_before_it(tmp_path: Path) -> None:
    """What a killed server left is removed at the next start; no child outlives the server."""
    world = build(tmp_path)
    world.user("ann")
    left = world.settings.root / "uploads" / "tmp_of_a_killed_one"
    left.mkdir(parents=True)
    (left / "picture").write_bytes(CAT)
    before = children()

    with answering(world):
        assert sent(world.as_user("ann"), CAT).json() == {"hits": []}
        assert not left.exists()
        assert len(children() - before) == 1

    world.until(lambda: children() <= before)


def children() -> set[int]:
    """The decode children of this process."""
    found = psutil.Process().children(recursive=True)
    return {one.pid for one in found if one.is_running() and "serve_apps.media.child" in one.cmdline()}
