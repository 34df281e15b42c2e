"""Metadata written back: into sidecars or files, and the library that goes on knowing what it knew."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from lancedb.expr import col, lit

from batch.changes import NEVER
from batch.metadata import foresee
from cluster.store.facts import REJECT
from serve_apps.media.inside import inside
from serve_apps.media.source import Source
from serve_apps.media.xmp import read
from tests.batch.bench_of_one import Bench
from tests.batch.saved import JPEG, SavedLibrary
from tests.sample_library import SampleLibrary

HEIC, DNG = "2018/2018-10 京都 Kyoto/IMG_0380.HEIC", "2018/2018-02 Zermatt/IMG_2180.DNG"
EVERY = lit(True)
MP4, PNG = "2023/2023-01 Buenos Aires/VID_0001.mp4", "2020/At home/horse.png"


@pytest.fixture
def library(tmp_path: Path, sample: SampleLibrary) -> Iterator[SavedLibrary]:
    """A scanned library of a JPEG."""
    made = SavedLibrary(Bench(tmp_path))
    made.add(sample, JPEG)
    made.bench.scan()
    made.tell()
    yield made
    made.bench.close()


@pytest.fixture
def whole(tmp_path: Path, sample: SampleLibrary) -> Iterator[SavedLibrary]:
    """A scanned library of a JPEG, a HEIC, a DNG and a video."""
    made = SavedLibrary(Bench(tmp_path))
    made.add(sample, *(photo.main for photo in sample.photos if photo.main in (JPEG, HEIC, DNG, MP4)))
    made.bench.scan()
    made.tell()
    yield made
    made.bench.close()


@pytest.mark.parametrize("in_file", [False, True])
def test_what_is_saved_once_is_not_saved_again_and_no_scan_sees_a_change(whole: SavedLibrary, in_file: bool):
    """The second run writes nothing; a scan has nothing to read, and one that reads all again finds what was known."""
    before, known = whole.known(), whole.known(ledger=False)

    first = whole.save(in_file)

    assert (first.written, first.unchanged, first.failed) == (len(before["photos"]), 0, {})
    assert whole.known() == before
    whole.is_whole()
    assert whole.leftovers() == []
    second = whole.save(in_file)
    assert (second.written, second.unchanged) == (0, first.written)
    assert whole.bench.scan().get("photos_changed", 0) == 0
    assert whole.known() == before
    whole.bench.scan(prepare=lambda scan: scan.library.files.change(EVERY, {"mtime_ns": NEVER}))
    assert whole.known(ledger=False) == known


def test_what_one_way_has_said_the_other_need_not_say(library: SavedLibrary):
    """A photo that says all inside gets no sidecar."""
    library.save(in_file=True)

    assert library.save(in_file=False).unchanged == 1
    assert list(library.bench.folder.rglob("*.xmp")) == []


def test_an_original_keeps_its_time_mode_and_picture(library: SavedLibrary):
    """To the nanosecond; what is in it between the packet and the end is what was there."""
    path = library.bench.folder / JPEG
    os.chmod(path, 0o640)
    before, data = path.stat(), path.read_bytes()

    assert library.save(in_file=True).written == 1

    after = path.stat()
    assert (after.st_mtime_ns, stat.S_IMODE(after.st_mode), after.st_uid) == (
        before.st_mtime_ns, 0o640, before.st_uid,
    )  # fmt: skip
    assert path.read_bytes().endswith(data[-len(data) // 2 :])
    assert path.read_bytes() != data


def test_a_sidecar_is_called_after_the_file_unless_there_is_one(library: SavedLibrary):
    """Beside a.jpg it is a.jpg.xmp; an a.xmp that the photo has is used, and keeps its time and what else it says."""
    assert library.save(in_file=False).written == 1
    assert [path.name for path in library.bench.folder.rglob("*.xmp")] == ["DSC_0101.JPG.xmp"]

    theirs = (library.bench.folder / JPEG).with_suffix(".xmp")
    (library.bench.folder / f"{JPEG}.xmp").unlink()
    theirs.write_text(EDITED)
    os.utime(theirs, ns=(1, 1_600_000_000_000_000_007))
    library.bench.scan()
    library.tell()
    assert library.save(in_file=False).written == 1
    said = theirs.read_text()
    assert [path.name for path in library.bench.folder.rglob("*.xmp")] == [theirs.name]
    assert 'crs:Exposure2012="+0.35"' in said
    assert "Ada Lovelace" in said
    assert theirs.stat().st_mtime_ns == 1_600_000_000_000_000_007


EDITED = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Exposure2012="+0.35"/>'
    "</rdf:RDF></x:xmpmeta>"
)


@pytest.mark.parametrize("in_file", [False, True])
def test_what_nobody_has_read_yet_is_not_overwritten(library: SavedLibrary, in_file: bool):
    """A file or sidecar that was changed since the last scan fails in a sentence and stays as it is."""
    path = library.bench.folder / (JPEG if in_file else f"{JPEG}.xmp")
    path.write_bytes(path.read_bytes() + b"edited" if in_file else EDITED.encode())
    now = path.read_bytes()

    saved = library.save(in_file)

    assert (saved.written, list(saved.failed)) == (0, [JPEG])
    assert "scan again" in saved.failed[JPEG]
    assert path.read_bytes() == now
    errors = library.bench.library.errors.rows().to_pylist()
    assert [(row["job_id"], row["stage"], row["name"]) for row in errors] == [("save1", "save-metadata", JPEG)]


def test_nothing_is_written_beside_another_picture_of_the_same_name(library: SavedLibrary):
    """Another folder was set or mounted, and not scanned yet: what is known is not of the pictures in it."""
    folder = library.bench.folder
    folder.rename(folder.parent / "former")
    (folder / JPEG).parent.mkdir(parents=True)
    (folder / JPEG).write_bytes(b"another picture")

    assert "scan again" in library.save(in_file=False).failed[JPEG]
    assert not (folder / f"{JPEG}.xmp").exists()


def test_a_read_only_original_is_left_alone(library: SavedLibrary):
    """Also where the user who runs this may do everything."""
    path = library.bench.folder / JPEG
    path.chmod(0o444)
    now = path.read_bytes()

    assert "read-only" in library.save(in_file=True).failed[JPEG]
    assert path.read_bytes() == now
    assert library.save(in_file=False).written == 1
    assert library.save(in_file=False).unchanged == 1


def test_a_new_sidecar_of_a_read_only_original_can_be_written_to_again(library: SavedLibrary):
    """Stars that change later come into it too; somebody who makes the sidecar itself read-only is heeded."""
    (library.bench.folder / JPEG).chmod(0o555)
    sidecar = library.bench.folder / f"{JPEG}.xmp"
    assert library.save(in_file=False).written == 1
    assert sidecar.stat().st_mode & 0o777 == 0o644

    library.tell(rating=2)
    assert library.save(in_file=False).written == 1

    sidecar.chmod(0o444)
    library.tell(rating=1)
    assert library.save(in_file=False).failed[JPEG].startswith("its sidecar is read-only; allow writing to it, or")


@pytest.mark.parametrize("in_file", [False, True])
def test_nothing_is_written_through_a_link(library: SavedLibrary, tmp_path: Path, in_file: bool):
    """A folder that has become a link to elsewhere is not written to."""
    folder, elsewhere = (library.bench.folder / JPEG).parent, tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere, target_is_directory=True)

    assert "symbolic link" in library.save(in_file).failed[JPEG]
    assert [path.name for path in elsewhere.iterdir()] == ["DSC_0101.JPG"]


def test_what_does_not_read_back_is_not_put_in_place(library: SavedLibrary):
    """The new file is damaged before it is verified: the old one stays, and nothing is left behind."""
    path = library.bench.folder / JPEG
    now = path.read_bytes()

    def damage(step: str) -> None:
        """Change the picture in the new file."""
        if step == "verify":
            (new,) = path.parent.glob(".brightroom-*.new.tmp")
            data = bytearray(new.read_bytes())
            data[-500:-400] = bytes(100)
            new.write_bytes(data)

    saved = library.save(in_file=True, step=damage)

    assert "did not read back" in saved.failed[JPEG]
    assert path.read_bytes() == now
    assert library.leftovers() == []
    library.is_whole()


def test_a_file_that_is_written_to_meanwhile_is_not_lost(library: SavedLibrary):
    """Somebody edits the photo in the moment before it is replaced: their file stays."""
    path = library.bench.folder / JPEG
    theirs = path.read_bytes() + b"theirs"

    saved = library.save(in_file=True, step=lambda name: path.write_bytes(theirs) if name == "replace" else 0)

    assert "changed since it was scanned" in saved.failed[JPEG]
    assert path.read_bytes() == theirs
    assert library.leftovers() == []


def test_every_copy_of_a_photo_is_written(library: SavedLibrary, sample: SampleLibrary):
    """All of them stay one photo, also when a scan reads all again."""
    copy = library.bench.folder / "backup" / "DSC_0101.JPG"
    copy.parent.mkdir()
    shutil.copy2(library.bench.folder / JPEG, copy)
    library.bench.scan()
    library.tell()
    before = library.known(ledger=False)

    assert library.save(in_file=True).written == 1

    assert copy.read_bytes() == (library.bench.folder / JPEG).read_bytes()
    library.is_whole()
    assert library.save(in_file=True).unchanged == 1
    library.bench.named(JPEG, "backup/DSC_0101.JPG")
    assert library.known(ledger=False) == before


def test_a_format_without_a_place_says_so_and_gets_a_sidecar(library: SavedLibrary, sample: SampleLibrary):
    """And what would be done says so beforehand."""
    library.add(sample, PNG)
    library.bench.scan()
    library.tell()

    plans = [foresee(library.bench.library, in_file) for in_file in (True, False)]
    assert [plan.counts for plan in plans] == [{"photos": 1, "not possible": 1}, {"photos": 2, "not possible": 0}]
    assert plans[0].names == [JPEG]
    assert plans[0].bytes == (library.bench.folder / JPEG).stat().st_size
    saved = library.save(in_file=True)
    assert list(saved.failed) == [PNG]
    assert "write beside it" in saved.failed[PNG]
    assert library.save(in_file=False, photo_ids=[library.bench.ids()[PNG]]).written == 1


def test_only_what_is_known_is_written(library: SavedLibrary):
    """A photo of which only its own file speaks needs no sidecar; a guessed time is not written down."""
    library.tell(tags=[], caption="", rating=None, title="", taken_source="mtime")
    library.bench.library.faces.change(EVERY, {"standing": ""})

    assert library.save(in_file=False).unchanged == 1
    library.tell(taken_source="mtime")
    assert library.save(in_file=True).written == 1
    with Source(bytes(library.bench.folder / JPEG)) as source:
        assert read(inside(source, JPEG).packet).metadata.taken_at is None


def test_a_sidecars_faces_are_kept_until_the_models_have_looked_for_them(library: SavedLibrary):
    """Then the library knows all of them: a name that it does not have by then was refused."""
    region = {"name": "Grace", "left": 0.6, "top": 0.6, "right": 0.8, "bottom": 0.8}
    named = []
    for revision in ("", "f"):
        library.tell(regions=[region], faces_rev=revision)
        assert library.save(in_file=False).written == 1
        sidecar = library.bench.folder / f"{JPEG}.xmp"
        named.append({face.name for face in read(sidecar.read_bytes()).metadata.regions})
        sidecar.unlink()
        library.bench.library.files.delete(col("kind") == lit("xmp"))

    assert named == [{"Ada Lovelace", "Grace"}, {"Ada Lovelace"}]


def test_a_name_that_somebody_refused_goes_from_the_sidecar(library: SavedLibrary):
    """The face is not Ada's any more: her name was there, and is not."""
    library.save(in_file=False)
    sidecar = library.bench.folder / f"{JPEG}.xmp"
    assert "Ada Lovelace" in sidecar.read_text()

    library.bench.library.faces.change(EVERY, {"standing": ""})
    library.bench.library.facts.change(EVERY, {"kind": REJECT})

    assert library.save(in_file=False).written == 1
    assert "Ada Lovelace" not in sidecar.read_text()
    assert library.save(in_file=False).unchanged == 1


def test_a_job_that_is_stopped_commits_what_it_did(whole: SavedLibrary):
    """After the first photo; the next run does the rest."""
    done: list[str] = []

    saved = whole.save(in_file=True, stopped=lambda: "settle" in done or "replace" in done, step=done.append)

    assert saved.written == 1
    whole.is_whole()
    assert whole.save(in_file=True).unchanged == 1
