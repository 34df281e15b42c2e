"""The file of a form, however the form arrives and whatever is wrong with it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api.forms import MOST_PARTS, FormFile
from cluster.errors import Invalid

DATA = b"\r\n--\r\n--x \r\n--xx" * 20 + b"\r"  # looks like a boundary again and again
FILE = b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a b.jpg"\r\n\r\n' + DATA + b"\r\n"
FIELD = b'--xyz\r\nContent-Disposition: form-data; name="note"\r\n\r\nwords\r\n'
END = b"--xyz--\r\n"


def taken(body: bytes, size: int = 100, boundary: str = "xyz") -> tuple[str, bytes]:
    """The name and the bytes of the file in a form that arrives in pieces of a size."""

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    async def gathered() -> tuple[str, bytes]:
        file = FormFile(pieces(), boundary)
        data = b"".join([piece async for piece in file])
        return file.name, data

    return asyncio.run(gathered())


@pytest.mark.parametrize("size", [1, 2, 7, 64, 10_000])
def test_the_file_comes_out_as_it_was_put_in(size: int) -> None:
    """A boundary may be cut anywhere, and fields before and after the file do not matter."""
    assert taken(FIELD + FILE + FIELD + END, size) == ("a b.jpg", DATA)


@pytest.mark.parametrize("body", [FIELD + END, END, FILE.replace(b"a b.jpg", b"").replace(DATA, b"") + END])
def test_a_form_without_a_file_has_no_bytes(body: bytes) -> None:
    """Also the one of a browser in which nothing was chosen."""
    assert taken(body) == ("", b"")


def test_two_files_are_one_too_many() -> None:
    """Nobody says which of them is meant."""
    with pytest.raises(Invalid, match="more than one file"):
        taken(FILE + FILE + END)


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (FILE, "xyz"), (FILE + END, ""), (FILE + END, "other"), (b"", "xyz"), (b"nonsense", "xyz"), (DATA, "xyz"),
        (b"--xyz\r\n\xff\xff: \xff\r\n\r\n" + END, "xyz"), (b"--xyz\r\n" + b"a" * 10_000, "xyz"),
        (FIELD * (MOST_PARTS + 1) + END, "xyz"),
    ],
    ids=[
        "cut off", "no boundary", "another boundary", "empty", "nonsense", "no beginning", "odd header", "long header",
        "many parts",
    ],
)  # fmt: skip
def test_what_is_no_form_is_told_so(body: bytes, boundary: str) -> None:
    """In a sentence for a person."""
    with pytest.raises(Invalid, match=r"The form cannot be read \(.+\)\. Send it whole"):
        taken(body, boundary=boundary)
