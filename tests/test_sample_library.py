"""The sample library is what it says it is: checked by decoders and readers that had no part in writing it."""

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import av
import exifread
import numpy as np
import piexif
import pillow_heif
import pytest
import pyvips
import rawpy
import reverse_geocode
from defusedxml import ElementTree
from PIL import Image, ImageOps

from tests.sample_library import ExpectedPhoto, SampleLibrary, write_sample_library

ROOT = Path(__file__).parents[1]
XMP, EXIF, REGION, AREA = (
    f"{{{name}}}"
    for name in (
        "http://ns.adobe.com/xap/1.0/", "http://ns.adobe.com/exif/1.0/",
        "http://www.metadataworkinggroup.com/schemas/regions/", "http://ns.adobe.com/xmp/sType/Area#",
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> SampleLibrary:
    """The sample library, written once."""
    return write_sample_library(tmp_path_factory.mktemp("sample") / "library")


def suffix(path: str) -> str:
    """A path's lower-case suffix."""
    return Path(path).suffix.lower()


def entries(folder: Path) -> dict[str, str]:
    """Every entry below a folder -> the hash of its bytes, or what kind of entry it is."""
    found = {}
    for here, folders, files in os.walk(folder):
        for name in [*files, *(name for name in folders if Path(here, name).is_symlink())]:
            path = Path(here, name)
            mode = path.lstat().st_mode
            content = sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(mode) else oct(stat.S_IFMT(mode))
            found[str(path.relative_to(folder))] = content
    return found


def upright(path: Path) -> np.ndarray:
    """A picture's pixels (height, width, 3) as a person sees them."""
    match suffix(path.name):
        case ".heic":
            return np.asarray(pillow_heif.open_heif(path, convert_hdr_to_8bit=True))
        case ".webp" | ".avif":
            return pyvips.Image.new_from_file(str(path)).numpy()
        case ".dng":
            with rawpy.imread(str(path)) as raw:
                return raw.postprocess(use_camera_wb=True, no_auto_bright=True)
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def exif_tags(path: Path) -> dict[str, object]:
    """A file's EXIF tags by exifread."""
    with path.open("rb") as file:
        return exifread.process_file(file, details=False)


def degrees(tags: dict[str, object], axis: str) -> float:
    """A coordinate of exifread's tags, in degrees."""
    whole, minutes, seconds = (float(value) for value in tags[f"GPS GPS{axis}"].values)
    sign = -1 if str(tags[f"GPS GPS{axis}Ref"]) in "SW" else 1
    return sign * (whole + minutes / 60 + seconds / 3600)


def with_exif(library: SampleLibrary) -> list[ExpectedPhoto]:
    """The JPEG and RAW photos that have EXIF: exifread does not find it in every HEIC and AVIF."""
    found = [photo for photo in library.photos if photo.taken_source == "exif"]
    return [photo for photo in found if suffix(photo.main) in (".jpg", ".dng")]


def test_its_numbers_are_those_that_documents_and_the_demo_name(library: SampleLibrary) -> None:
    """Adding a photo changes these numbers on purpose, never by accident."""
    assert library.counts == {
        "photos": 115, "images": 112, "raws": 1, "videos": 2, "faces": 64, "strangers": 6, "people": 12,
        "places": 10, "countries": 10, "committed": 121, "failed": 4, "skipped": 8, "listed": 133,
    }  # fmt: skip


def test_the_truth_names_every_entry_of_the_folder_once(library: SampleLibrary) -> None:
    """Nothing is on the disk that the truth does not speak of, and the other way round."""
    named = [path for photo in library.photos for path in photo.files] + [*library.failed, *library.skipped]
    on_disk = {path if "@eaDir" not in path else str(Path(path).parent) for path in entries(library.folder)}
    assert sorted(named) == sorted(on_disk)


def test_the_same_packages_give_the_same_bytes(library: SampleLibrary, tmp_path: Path) -> None:
    """Written again, elsewhere, every entry is the same."""
    again = write_sample_library(tmp_path / "again")
    assert entries(again.folder) == entries(library.folder)
    assert again.photos == library.photos


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    """Nobody's files are mixed with the sample's."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty"):
        write_sample_library(tmp_path)


def test_every_picture_decodes_to_its_upright_size(library: SampleLibrary) -> None:
    """Decoders that did not write them open every picture that is not truncated."""
    pictures = [photo for photo in library.photos if photo.kind != "video" and not photo.flags]
    sizes = {photo.main: upright(library.folder / photo.main).shape[1::-1] for photo in pictures}
    assert sizes == {photo.main: (photo.width, photo.height) for photo in pictures}


def test_all_formats_of_the_issue_are_there(library: SampleLibrary) -> None:
    """JPEG, HEIC, PNG, WebP, TIFF, AVIF, GIF, BMP, RAW and two kinds of video, and sidecars named both ways."""
    formats = {suffix(path) for photo in library.photos for path in photo.files}
    assert " ".join(sorted(formats)) == ".avif .bmp .dng .gif .heic .jpg .mov .mp4 .png .tif .webp .xmp"


def test_the_eight_orientations_show_one_picture(library: SampleLibrary) -> None:
    """Turned upright by their EXIF they are the same; as stored, half of them are wider and half are higher."""
    paths = [library.folder / path for path in library.orientations]
    first, *others = (upright(path).astype(int) for path in paths)
    assert max(np.abs(first - other).mean() for other in others) < 3
    assert [exif_tags(path)["Image Orientation"].values[0] for path in paths] == [1, 2, 3, 4, 5, 6, 7, 8]
    stored = [pyvips.Image.new_from_file(str(path)) for path in paths]
    assert [(image.width, image.height) for image in stored] == [(640, 427)] * 4 + [(427, 640)] * 4
    assert np.abs(first - first[:, ::-1]).mean() > 20  # a symmetric picture would prove nothing


def test_coordinates_read_back_as_planned(library: SampleLibrary) -> None:
    """North and south, east and west, to a metre."""
    placed = [photo for photo in with_exif(library) if photo.place]
    tags = {photo.main: exif_tags(library.folder / photo.main) for photo in placed}
    for photo in placed:
        assert degrees(tags[photo.main], "Latitude") == pytest.approx(photo.latitude, abs=1e-5)
        assert degrees(tags[photo.main], "Longitude") == pytest.approx(photo.longitude, abs=1e-5)
    assert {(photo.latitude > 0, photo.longitude > 0) for photo in placed} == {(a, b) for a in (0, 1) for b in (0, 1)}


def test_the_geocoder_names_the_places_as_planned(library: SampleLibrary) -> None:
    """The nearest place of each photo's coordinates is its trip's, in ten countries."""
    placed = [photo for photo in library.photos if photo.place]
    found = reverse_geocode.search([(photo.latitude, photo.longitude) for photo in placed])
    named = [tuple(place.get(field, "") for field in ("city", "county", "state", "country")) for place in found]
    planned = [photo.place for photo in placed]
    assert named == [(place.name, place.county, place.state, place.country) for place in planned]
    assert [place["country_code"] for place in found] == [place.country_code for place in planned]


def test_times_in_exif_are_the_truths(library: SampleLibrary) -> None:
    """Wall clock, offset and parts of a second give the UTC time of the truth."""
    for photo in with_exif(library):
        tags = exif_tags(library.folder / photo.main)
        written = f"{tags['EXIF DateTimeOriginal']}{tags['EXIF OffsetTimeOriginal']}"
        part = int(str(tags.get("EXIF SubSecTimeOriginal", "0")).ljust(3, "0")[:3])
        taken = datetime.strptime(written, "%Y:%m:%d %H:%M:%S%z") + timedelta(milliseconds=part)
        assert (taken, taken.utcoffset()) == (photo.taken_at, timedelta(minutes=photo.taken_offset_min))


def test_only_a_photo_without_a_better_date_has_its_own_file_time(library: SampleLibrary) -> None:
    """All other files were restored on one day, so that a date taken from the file would be seen to be wrong."""
    for photo in library.photos:
        changed = datetime.fromtimestamp((library.folder / photo.main).stat().st_mtime, UTC)
        assert (changed == photo.taken_at) == (photo.taken_source == "mtime")


def test_a_burst_is_five_pictures_within_a_second(library: SampleLibrary) -> None:
    """Two of them, in order, and no two frames alike."""
    assert [len(burst) for burst in library.bursts] == [5, 5]
    for burst in library.bursts:
        times = [library.photo(main).taken_at for main in burst]
        assert times == sorted(set(times))
        assert times[-1] - times[0] < timedelta(seconds=1)
        assert len({(library.folder / main).read_bytes() for main in burst}) == 5


def test_twelve_people_are_in_five_photos_each_or_more(library: SampleLibrary) -> None:
    """Portraits on several trips; four of them meet in one picture."""
    assert {person: len(mains) for person, mains in library.people.items()} == {
        f"s{number}": 5 + (number <= 4) for number in range(1, 13)
    }
    trips = {person: {main.split("/")[1] for main in mains} for person, mains in library.people.items()}
    assert all(len(folders) >= 5 for folders in trips.values())


def test_the_raw_of_a_pair_shows_what_its_jpeg_shows(library: SampleLibrary) -> None:
    """A Bayer DNG decoded by LibRaw looks like the camera's JPEG beside it."""
    (pair,) = (photo for photo in library.photos if [suffix(path) for path in photo.files] == [".jpg", ".dng"])
    jpeg, raw = (upright(library.folder / path).astype(int) for path in pair.files)
    assert np.abs(jpeg[: raw.shape[0], : raw.shape[1]] - raw).mean() < 12


def test_a_live_photo_is_joined_by_one_content_id(library: SampleLibrary) -> None:
    """Apple's MakerNote of the picture and the QuickTime key of the video say the same."""
    (live,) = (photo for photo in library.photos if photo.live_id)
    picture, video = (library.folder / path for path in live.files)
    note = piexif.load(str(picture))["Exif"][piexif.ExifIFD.MakerNote]
    at = int.from_bytes(note[24:28], "big")
    assert note[at:] == live.live_id.encode() + b"\0"
    with av.open(str(video)) as container:
        assert container.metadata["com.apple.quicktime.content.identifier"] == live.live_id


def test_videos_say_when_and_where(library: SampleLibrary) -> None:
    """Every frame decodes; the time and the place are in the container."""
    videos = [photo for photo in library.photos if photo.kind == "video"]
    for photo in videos:
        with av.open(str(library.folder / photo.main)) as container:
            said = container.metadata
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert datetime.fromisoformat(said["creation_time"]) == photo.taken_at
        place = said.get("location") or said["com.apple.quicktime.location.ISO6709"]
        assert place.startswith(f"{photo.latitude:+08.4f}{photo.longitude:+09.4f}")
        assert frames[0].shape == (photo.height, photo.width, 3)
        assert len(frames) == photo.duration_s * 15


def test_sidecars_say_what_the_truth_says(library: SampleLibrary) -> None:
    """Well-formed XMP: rating, names of faces and the time, where there are some."""
    described = [photo for photo in library.photos if photo.sidecar]
    assert len(described) == 3
    for photo in described:
        (path,) = (library.folder / file for file in photo.files if suffix(file) == ".xmp")
        assert (path.name == Path(photo.main).name + ".xmp") == photo.sidecar.full_name
        (about,) = ElementTree.parse(path).getroot()[0]
        rating, taken = about.get(f"{XMP}Rating"), about.get(f"{EXIF}DateTimeOriginal")
        assert (int(rating) if rating else None) == photo.sidecar.rating
        assert (datetime.fromisoformat(taken) if taken else None) == photo.sidecar.taken
        areas = [(face.get(f"{REGION}Name"), float(face[0].get(f"{AREA}x"))) for face in about.iter() if len(face) == 1
                 and face[0].tag == f"{REGION}Area"]  # fmt: skip
        wanted = [(face.name, pytest.approx((face.left + face.right) / 2)) for face in photo.sidecar.regions]
        assert areas == wanted


def test_a_copy_has_the_same_bytes_elsewhere(library: SampleLibrary) -> None:
    """One photo, two files in two folders."""
    contents = entries(library.folder)
    twice = [path for path, content in contents.items() if list(contents.values()).count(content) == 2]
    (photo,) = (photo for photo in library.photos if len(photo.files) == 2 and set(photo.files) <= set(twice))
    assert Path(photo.files[0]).parent != Path(photo.files[1]).parent


def test_each_query_and_text_is_about_a_photo_that_is_there(library: SampleLibrary) -> None:
    """The three searches of the issue, and words for the text reader."""
    assert set(library.queries) == {"a cat", "a cup of coffee", "rocket launch"}
    assert {*library.queries.values(), *library.text} <= {photo.main for photo in library.photos}


def test_it_can_be_written_by_hand(tmp_path: Path) -> None:
    """`python -m tests.sample_library FOLDER` writes it and tells what is in it; twice into one folder is refused."""
    command = [sys.executable, "-m", "tests.sample_library", str(tmp_path / "by hand")]
    first = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "115 photos" in first.stdout
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (second.returncode, second.stdout) == (1, "")
    assert "is not empty" in second.stderr
