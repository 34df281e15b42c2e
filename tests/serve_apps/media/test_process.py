"""A child starts with next to nothing of our environment, and never outlives its parent."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.errors import Unavailable, Unreadable
from cluster.settings import MediaSettings
from serve_apps.media.box import Decoder
from serve_apps.media.process import environment, last_words


def test_the_child_gets_no_secrets_from_our_environment(
    misbehaving: Callable[..., Decoder], marked: Callable[[str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only names that say where modules are and how libraries behave are passed on."""
    monkeypatch.setenv("BRIGHTROOM_TEST_SECRET", "hunter2")
    with pytest.raises(Unreadable) as told:
        misbehaving().decode(marked("environment"))
    names = set(str(told.value).split())
    assert "VIPS_BLOCK_UNTRUSTED" in names
    assert names <= {
        "LANG", "LC_CTYPE", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_",
        "MALLOC_TRIM_THRESHOLD_", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
        "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "TZ", "VIPS_BLOCK_UNTRUSTED", "VIPS_CONCURRENCY",
    }  # fmt: skip


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    """Kill -9 of the parent leaves no child behind."""
    script = (
        "import sys; from pathlib import Path; from cluster.settings import MediaSettings\n"
        "from serve_apps.media.box import Decoder\n"
        "decoder = Decoder(MediaSettings(), Path(sys.argv[1]) / 'derived')\n"
        "decoder.identify(sys.argv[1].encode() + b'/file')\n"
        "print(decoder._child._process.pid, flush=True); sys.stdin.read()"
    )
    (tmp_path / "file").write_bytes(b"anything")
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as parent:
        assert parent.stdout
        status = Path("/proc") / parent.stdout.readline().decode().strip() / "status"
        assert "python" in status.read_text()
        parent.kill()
    until = time.monotonic() + 10
    while is_running(status) and time.monotonic() < until:
        os.sched_yield()
    assert not is_running(status)


def is_running(status: Path) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return "State:\tZ" not in status.read_text()
    except OSError:
        return False


def test_a_decoder_that_cannot_start_says_how_to_find_out_why(tmp_path: Path, samples: dict[str, Path]) -> None:
    """A broken installation is no file's fault: the error is Unavailable and names a command."""
    with (
        Decoder(MediaSettings(child=("-c", "raise SystemExit(7)")), tmp_path) as decoder,
        pytest.raises(Unavailable, match=r"does not start \(exit code 7\); run `"),
    ):
        decoder.decode(bytes(samples["jpeg"]))


def test_modules_and_libraries_are_found_without_our_environment() -> None:
    """Of ours, only what libraries need to be found is passed on; the rest is fixed."""
    passed = environment({"LD_LIBRARY_PATH": "/opt/lib", "AWS_SECRET_ACCESS_KEY": "x", "PYTHONPATH": "/elsewhere"})
    assert passed["LD_LIBRARY_PATH"] == "/opt/lib"
    assert passed["PYTHONPATH"] == str(Path(__file__).parents[3])
    assert "AWS_SECRET_ACCESS_KEY" not in passed


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (-11, "crashed on this file (signal 11)"),
        (-24, "more than 30 s of CPU time"),
        (1, "left on this file (exit code 1)"),
    ],
)
def test_last_words_say_what_happened_and_what_to_do(code: int, sentence: str) -> None:
    """Every way to die has its sentence, with advice."""
    assert sentence in last_words(code, 30)
    assert "open it elsewhere" in last_words(code, 30)
