"""The decoder keeps its promises whatever happens to its child."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster.errors import DecoderDied, PhotoError, StoreError, TooLarge, Unreadable
from cluster.settings import MediaSettings
from serve_apps.media.box import LARGEST_RGB, Decoder
from serve_apps.media.protocol import Decoded


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [
        ("segfault", "crashed on this file (signal 11)"),
        ("leave", "left on this file (exit code 3)"),
        ("garble", "senseless answer"),
        ("shout", "senseless answer"),
        ("lie", "senseless answer"),
        ("swap", "senseless answer"),
    ],
)
def test_a_child_that_dies_or_lies_costs_only_its_own_file(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes], mark: str, sentence: str
) -> None:
    """The file gets an error with a sentence that names what happened; the next file is decoded."""
    decoder = misbehaving()
    with pytest.raises(DecoderDied) as died:
        decoder.decode(marked(mark))
    assert sentence in str(died.value)
    assert decoder.decode(marked("good")).format == "jpeg"


def test_a_hanging_child_is_killed_at_its_deadline(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes]
) -> None:
    """A child that sleeps for ever is stopped after wall_s, twice, and the next file is decoded."""
    decoder = misbehaving(wall_s=0.4)
    decoder.decode(marked("good"))
    began = time.monotonic()
    with pytest.raises(DecoderDied, match=r"hung on this file for 0\.4"):
        decoder.decode(marked("hang"))
    assert 0.8 <= time.monotonic() - began < 20
    assert decoder.decode(marked("good")).format == "jpeg"


def test_a_spinning_child_runs_out_of_cpu_time(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes]
) -> None:
    """An endless loop is ended by the kernel after cpu_s, long before the wall deadline."""
    decoder = misbehaving(cpu_s=1, wall_s=60)
    with pytest.raises(DecoderDied, match="more than 1 s of CPU time"):
        decoder.decode(marked("spin"))
    assert decoder.decode(marked("good")).format == "jpeg"


def test_a_memory_hog_is_told_how_much_it_may_have(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes]
) -> None:
    """A child that eats memory stops at memory_mb; the error names the setting."""
    decoder = misbehaving(memory_mb=400)
    with pytest.raises(DecoderDied, match=r"needs more than the 400 MB of media\.memory_mb"):
        decoder.decode(marked("hog"))
    assert decoder.decode(marked("good")).format == "jpeg"


def test_a_file_that_kills_its_child_once_is_tried_again(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes]
) -> None:
    """One crash is not held against a file."""
    assert misbehaving().decode(marked("once")).format == "jpeg"


@pytest.mark.parametrize("mark", ["segfault", "hang", "hog"])
def test_a_sidecar_that_kills_its_child_does_not_cost_the_picture(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes], tmp_path: Path, mark: str
) -> None:
    """The second try leaves the sidecar out, and the answer says so."""
    decoder, sidecar = misbehaving(wall_s=5, memory_mb=400), tmp_path / f"{mark}-photo.xmp"
    sidecar.touch()
    decoded = decoder.decode(marked("good"), bytes(sidecar))
    assert (decoded.format, decoded.flags) == ("jpeg", ["bad-sidecar"])


def test_a_picture_that_kills_its_child_dies_with_and_without_a_sidecar(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes], tmp_path: Path
) -> None:
    """The sidecar is not blamed for what the picture does."""
    decoder = misbehaving()
    with pytest.raises(DecoderDied, match="crashed on this file"):
        decoder.decode(marked("segfault"), bytes(tmp_path / "segfault-photo.xmp"))
    assert decoder.decode(marked("good")).flags == []


def test_an_error_of_the_system_inside_a_decoder_costs_only_its_own_file(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes]
) -> None:
    """Only writing derived pictures can fail for all photos; whatever a parser stumbles over is about its file."""
    with pytest.raises(Unreadable, match="Too many open files"):
        misbehaving().decode(marked("choke"))


def test_a_child_killed_between_two_files_costs_nothing(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes]
) -> None:
    """The out-of-memory killer may take an idle child; the next file gets a fresh one."""
    decoder = misbehaving()
    decoder.decode(marked("good"))
    os.kill(decoder._child._process.pid, signal.SIGKILL)
    assert decoder.decode(marked("good")).format == "jpeg"


def test_a_child_is_replaced_after_its_number_of_files(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes]
) -> None:
    """With recycle_after 2, the third file is decoded by another process."""
    decoder, good, seen = misbehaving(recycle_after=2), marked("good"), []
    for _ in range(3):
        decoder.identify(good)
        seen.append(decoder._child._process.pid)
    assert seen[0] == seen[1] != seen[2]


def test_pixels_that_were_never_written_are_not_believed(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes]
) -> None:
    """A child that claims to have left pixels in the shared memory, but has not, is found out."""
    with pytest.raises(DecoderDied, match="senseless answer"):
        misbehaving().rgb(marked("pretend"), 200)


def test_a_folder_that_cannot_be_written_is_not_the_files_fault(tmp_path: Path, samples: dict[str, Path]) -> None:
    """Derived pictures that cannot be written raise StoreError: the photo itself is fine."""
    blocked = tmp_path / "derived"
    blocked.write_text("a file where a folder should be")
    with Decoder(MediaSettings(), blocked) as decoder, pytest.raises(StoreError, match="cannot be written"):
        decoder.decode(bytes(samples["jpeg"]))


def test_several_threads_may_share_a_decoder(decoder: Decoder, samples: dict[str, Path]) -> None:
    """Answers never get mixed up between callers."""
    wanted = ["jpeg", "png", "webp", "gif"] * 5
    answers: dict[int, Decoded] = {}
    threads = [
        threading.Thread(target=lambda n=number, f=name: answers.__setitem__(n, decoder.decode(bytes(samples[f]))))
        for number, name in enumerate(wanted)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answers[number].format for number in range(len(wanted))] == wanted


def test_an_array_is_never_larger_than_asked(decoder: Decoder, samples: dict[str, Path]) -> None:
    """The longest side is at most what was asked; small pictures stay as they are."""
    assert decoder.rgb(bytes(samples["png"]), 90).shape == (60, 90, 3)
    assert decoder.rgb(bytes(samples["png"]), 10 * LARGEST_RGB).shape == (240, 360, 3)


def test_a_relative_path_is_taken_from_the_callers_folder(
    decoder: Decoder, samples: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child lives in another folder than its parent."""
    monkeypatch.chdir(samples["jpeg"].parent)
    assert decoder.decode(b"photo.jpeg").format == "jpeg"


def test_a_file_larger_than_allowed_is_refused_unread(
    tmp_path: Path, decoder: Decoder, jpeg_bytes: Callable[..., bytes]
) -> None:
    """A sparse file of 3 GB that begins like a JPEG costs no time."""
    path = tmp_path / "huge.jpg"
    path.write_bytes(jpeg_bytes()[:100])
    os.truncate(path, 3 << 30)
    with pytest.raises(TooLarge, match=r"3,072 MB, over the 2,048 MB of media\.max_file_mb"):
        decoder.decode(bytes(path))


@given(
    flips=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=8),
    cut=st.one_of(st.none(), st.integers(0, 3000)),
)
@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_no_damaged_header_kills_the_parent(
    tmp_path: Path, decoder: Decoder, jpeg_bytes: Any, exif_bytes: Any, flips: list[tuple[int, int]], cut: int | None
) -> None:
    """Whatever bytes of a JPEG's header are changed, and wherever it ends, there is a picture or one PhotoError."""
    exif = exif_bytes({271: b"ACME", 306: b"2024:05:06 07:08:09"}, {36867: b"2024:05:06 07:08:09"})
    damaged = bytearray(jpeg_bytes(exif=exif)[:cut])
    for at, value in flips:
        damaged[at : at + 1] = bytes((value,))[: len(damaged) - at]
    path = tmp_path / "damaged.jpg"
    path.write_bytes(damaged)
    outcome: object = None
    try:
        outcome = decoder.decode(bytes(path)).size
    except PhotoError as error:
        outcome = "a sentence" if len(str(error)) > 20 else "no sentence"
    assert outcome in (len(damaged), "a sentence")
