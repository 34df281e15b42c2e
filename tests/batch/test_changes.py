"""A walk against what the store remembers: every listed file is counted once, whatever happened to it."""

from hypothesis import given
from hypothesis import strategies as st

from batch.changes import NEVER, Known, changes
from batch.discover import Entry, Folder


def known(path: bytes, size: int = 1, mtime_ns: int = 1, state: str = "ok", kind: str = "image") -> Known:
    """A file as the store remembers it."""
    return Known(path.hex(), path, kind, size, mtime_ns, "content", "photo", state)


def folder(*files: Entry) -> Folder:
    """A listed folder."""
    return Folder(b"", list(files), {})


def test_new_changed_and_returned_files_are_read_and_others_left():
    """Size and time decide; a file that was missing is read again when it is back."""
    files = [Entry(name, "image", 1, 1) for name in (b"new.jpg", b"same.jpg", b"back.jpg")]
    files.append(Entry(b"edited.jpg", "image", 2, 1))
    remembered = [known(b"same.jpg"), known(b"back.jpg", state="missing"), known(b"edited.jpg"), known(b"gone.jpg")]

    found = changes([folder(*files)], {file.path: file for file in remembered})

    assert {group.files[0].path for group in found.groups} == {b"new.jpg", b"back.jpg", b"edited.jpg"}
    assert (found.reading, found.unchanged, found.failing) == (3, 1, [])
    assert [file.path for file in found.vanished] == [b"gone.jpg"]


def test_a_group_comes_whole_when_one_of_its_files_is_new():
    """A late sidecar brings its picture along, so that both can be read together."""
    files = [Entry(b"a.jpg", "image", 1, 1), Entry(b"a.xmp", "xmp", 1, 1)]

    found = changes([folder(*files)], {b"a.jpg": known(b"a.jpg")})

    (group,) = found.groups
    assert [(file.path, file.changed) for file in group.files] == [(b"a.jpg", False), (b"a.xmp", True)]
    assert (found.reading, found.unchanged) == (1, 1)


def test_when_the_main_file_is_gone_its_variants_are_read_again():
    """The RAW that is left becomes what people see, once it is known whether the picture lies elsewhere."""
    found = changes(
        [folder(Entry(b"a.dng", "raw", 1, 1))],
        {b"a.jpg": known(b"a.jpg"), b"a.dng": known(b"a.dng", kind="raw")},
    )

    assert [[file.path for file in group.files] for group in found.bereft] == [[b"a.dng"]]
    assert (found.groups, found.reading, found.unchanged) == ([], 0, 1)


def test_when_a_sidecar_is_gone_its_picture_is_read_again():
    """What the sidecar said must not stay."""
    found = changes(
        [folder(Entry(b"a.jpg", "image", 1, 1))],
        {b"a.jpg": known(b"a.jpg"), b"a.xmp": known(b"a.xmp", kind="xmp")},
    )

    assert [[file.path for file in group.files] for group in found.groups] == [[b"a.jpg"]]
    assert (found.bereft, found.unchanged) == ([], 1)


def test_a_file_asked_for_or_remembered_for_that_is_made_anew():
    """By name, or after a full rescan's beginning; one that merely changed is not forced."""
    files = [Entry(name, "image", 1, 1) for name in (b"asked.jpg", b"again.jpg", b"edited.jpg")]
    store = {b"asked.jpg": known(b"asked.jpg"), b"again.jpg": known(b"again.jpg", mtime_ns=NEVER)}
    store[b"edited.jpg"] = known(b"edited.jpg", size=9)

    found = changes([folder(*files)], store, frozenset({b"asked.jpg"}))

    assert {group.files[0].path: group.force for group in found.groups} == {
        b"asked.jpg": True, b"again.jpg": True, b"edited.jpg": False,
    }  # fmt: skip


def test_an_unchanged_file_that_failed_counts_as_failing_and_is_not_read():
    """What could not be read is told in every scan, and not tried for ever."""
    found = changes([folder(Entry(b"bad.jpg", "image", 1, 1))], {b"bad.jpg": known(b"bad.jpg", state="failed")})

    assert (found.groups, found.reading, found.unchanged) == ([], 0, 0)
    assert [file.path for file in found.failing] == [b"bad.jpg"]


paths = st.sampled_from([b"a.jpg", b"a.dng", b"a.xmp", b"b.jpg", b"b.mov", b"c.png"])
facts = st.tuples(st.integers(1, 2), st.integers(1, 2))


@given(
    listed=st.dictionaries(paths, facts),
    remembered=st.dictionaries(paths, st.tuples(facts, st.sampled_from(["ok", "failed", "missing"]))),
    force=st.frozensets(paths),
)
def test_listed_files_are_read_unchanged_or_failing_and_nothing_else(listed, remembered, force):
    """For every folder and every memory of it: the three numbers add up to what is listed."""
    kinds = {b".jpg": "image", b".png": "image", b".dng": "raw", b".mov": "video", b".xmp": "xmp"}
    files = [Entry(path, kinds[path[-4:]], *stamp) for path, stamp in listed.items()]
    store = {p: known(p, size, mtime, state, kinds[p[-4:]]) for p, ((size, mtime), state) in remembered.items()}

    found = changes([folder(*files)], store, force)

    assert found.reading + found.unchanged + len(found.failing) == len(files)
    changed = [file.path for group in found.groups for file in group.files if file.changed]
    assert len(changed) == len(set(changed)) == found.reading
    assert force & set(listed) <= set(changed)
