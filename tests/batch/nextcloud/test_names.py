"""From hrefs to paths on the server, and from those to names on disk: nothing leads out, no two are the same."""

import itertools
import os
import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batch.nextcloud.names import LONGEST_PATH, escaped, folded, local_name, local_part, remote_path

STEADY = settings(database=None, deadline=None, max_examples=60)
BASE = "/remote.php/dav/files/ann/Photos"
NASTY = st.sampled_from(
    ["..", ".", "~", "/", "\\", "\n", "\0", "é", "e\u0301", "ß", "SS", "ss", "ı", "I", "\u202e", "\ud800", ".jpg", " "]
)
LETTERS = st.lists(NASTY | st.characters(), min_size=1, max_size=30).map("".join)
NAMES = LETTERS.map(lambda name: name.replace("/", "").replace("\0", "")).filter(bool)
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)


@STEADY
@given(PATHS)
@example("../../etc/passwd")
@example("/".join(["x" * 200] * 30))
@example(".brightroom/.part")
@example("x" * 255 + ".jpg")
def test_a_local_name_stays_in_its_folder_and_fits_the_disk(path: str):
    """Whatever the server calls a file: relative, no part is special, hidden or too long, nothing is unprintable."""
    name = local_name(path)

    parts = name.split(b"/")
    assert all(part not in (b"", b".", b"..") and not part.startswith(b".") and len(part) <= 240 for part in parts)
    assert len(name) <= LONGEST_PATH + 300
    assert name.decode().isprintable()
    assert not PurePosixPath(os.fsdecode(name)).is_absolute()
    assert os.path.normpath(name) == name


@STEADY
@given(st.sets(PATHS, min_size=2, max_size=6))
def test_two_paths_never_get_the_same_local_name(paths: set[str]):
    """Also where their harmless part is the same."""
    assert len({local_name(path) for path in paths}) == len(paths)


@STEADY
@given(st.sets(NAMES, min_size=2, max_size=8))
def test_names_of_one_folder_are_no_twins_on_any_file_system(names: set[str]):
    """Neither in letter case nor in composition, when those that are taken are told."""
    taken: set[bytes] = set()
    for name in sorted(names):
        part = local_part(name, taken)
        assert folded(part) not in taken
        taken.add(folded(part))
    assert len(taken) == len(names)


@STEADY
@given(NAMES)
def test_a_name_that_is_escaped_cannot_be_taken_by_a_harmless_one(name: str):
    """The escaped form of a name is never the form of the file that is called so."""
    made = local_part(name)
    assert made == name.encode(errors="surrogatepass") or local_part(made.decode()) != made


@pytest.mark.parametrize("name", ["IMG_0001.JPG", "Été à la mer.heic", "2024-01-01 12.00.00.mp4", "a (conflict).jpg"])
def test_harmless_names_stay_readable(name: str):
    """What people call their photos is what they find on disk."""
    assert local_name(f"Photos/{name}") == f"Photos/{name}".encode()


def test_pairs_stay_pairs():
    """A photo, its live video and its sidecar share what stands before their suffixes, escaped or not."""
    made = [local_part(f"a<b>{suffix}") for suffix in (".HEIC", ".MOV", ".HEIC.xmp")]

    stems = {part.partition(b".")[0] for part in made}
    assert len(stems) == 1
    assert [part.partition(b".")[2] for part in made] == [b"HEIC", b"MOV", b"HEIC.xmp"]


def test_the_same_letters_composed_otherwise_are_another_name():
    """Without knowing what is taken: some disks compose names by themselves."""
    composed, apart = "\u00e9.jpg", "e\u0301.jpg"
    assert local_part(composed) == composed.encode()
    assert folded(local_part(apart)) != folded(local_part(composed))


def test_twins_get_names_of_their_own():
    """In letter case, in composition, and both at once."""
    names = ["É.jpg", "é.jpg", unicodedata.normalize("NFD", "é.jpg"), unicodedata.normalize("NFD", "É.JPG")]
    taken: set[bytes] = set()
    for name in names:
        taken.add(folded(local_part(name, taken)))
    assert len(taken) == 4


@pytest.mark.parametrize(
    ("href", "path"),
    [
        (BASE, ""),
        (f"{BASE}/", ""),
        (f"{BASE}/a.jpg", "a.jpg"),
        (f"{BASE}/Trip/", "Trip"),
        (f"{BASE}/%C3%A9%20b.jpg", "é b.jpg"),
        (f"{BASE}/é.jpg", "é.jpg"),
        (f"{BASE}/100%25.jpg", "100%.jpg"),
        (f"{BASE}/100%.jpg", "100%.jpg"),
        (f"{BASE}/%252e%252e", "%2e%2e"),
        (f"{BASE}/a%5Cb.jpg", "a\\b.jpg"),
        (f"{BASE}/new%0Aline.jpg", "new\nline.jpg"),
        ("/remote.php/dav/files/ann/%50hotos/a.jpg", "a.jpg"),
    ],
)
def test_an_href_is_decoded_once(href: str, path: str):
    """And compared with the folder's own in its decoded form."""
    assert remote_path(href, BASE) == path


@pytest.mark.parametrize(
    "href",
    [
        f"{BASE}/../secret.jpg",
        f"{BASE}/%2e%2e/%2E%2e/etc/passwd",
        f"{BASE}/./a.jpg",
        f"{BASE}//a.jpg",
        f"{BASE}/a//",
        f"{BASE}/a%2Fb.jpg",
        f"{BASE}/a%00b.jpg",
        f"{BASE}/%ff%fe.jpg",
        f"{BASE}/%ed%a0%80.jpg",
        f"{BASE}/a.jpg?x=1",
        f"{BASE}/a.jpg#b",
        f"{BASE}-other/a.jpg",
        "/remote.php/dav/files/ann/Phot",
        "/remote.php/dav/files/bob/Photos/a.jpg",
        "//evil.example/remote.php/dav/files/ann/Photos/a.jpg",
        "https://evil.example/a.jpg",
        "a.jpg",
        "",
    ],
)
def test_an_href_that_leads_elsewhere_is_refused_with_a_reason(href: str):
    """Out of the folder, into somebody else's, to another server, or nowhere."""
    with pytest.raises(ValueError, match="it"):
        remote_path(href, BASE)


@STEADY
@given(st.lists(NAMES.filter(lambda name: name not in (".", "..") and name.isprintable()), min_size=1, max_size=4))
def test_what_is_asked_for_is_what_was_listed(parts: list[str]):
    """A path that is escaped for a URL comes back as it was."""
    path = "/".join(parts)
    assert remote_path(f"{BASE}/{escaped(path)}", BASE) == path


def test_suffixes_and_hashes_do_not_mix():
    """Names made of the same letters in other places stay apart."""
    made = [local_part("".join(letters)) for letters in itertools.permutations(["~", "a", ".jpg", "b"])]
    assert len(set(made)) == len(made)
