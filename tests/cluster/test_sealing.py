"""Sealed secrets: who can open them, where keys lie, how they are rotated, and where they are not."""

import os
import pickle
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.submissions import job_environment
from cluster.head import head_environment, spawn
from cluster.redaction import redacted
from cluster.sealing import KeyUnusable, Lost, Sealer, forget_handed, handed_file, key_file, sealer, take_over
from cluster.settings import KEYS_VARIABLE, NextcloudSettings, Settings, load_settings
from tests.canaries import Canaries

OLD, NEW = b"o" * 32, b"n" * 32
PASSWORD = "kFm3x-Qw9Zr-7LpTe-Xb4Ns-Yc2Vd"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings with a root of their own; nothing of them stays in memory."""
    made = Settings(root=tmp_path / "root")
    yield made
    shutil.rmtree(handed_file(made).parent, ignore_errors=True)


def mode(path: Path) -> int:
    """Who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


@given(secret=st.text(), owner=st.lists(st.text(), max_size=4))
def test_what_is_sealed_opens_again_for_its_owner(secret: str, owner: list[str]):
    """Whatever the text, and whoever it belongs to."""
    one = Sealer([NEW])

    assert one.open(one.seal(secret, *owner), *owner) == secret


def test_the_same_secret_never_looks_the_same_and_shows_nothing():
    """Nobody sees from the store who has the same password."""
    one = Sealer([NEW])
    sealed = {one.seal(PASSWORD, "ann") for _ in range(50)}

    assert len(sealed) == 50
    assert Canaries({"it": PASSWORD}).in_bytes(b"".join(sealed)) == {}


@pytest.mark.parametrize("owner", [(), ("ben",), ("ann", ""), ("an", "n"), ("Ann",), ("ann", "other server")])
def test_a_secret_does_not_open_for_another_owner(owner: tuple[str, ...]):
    """So that nobody who can write to the store swaps rows, nor sends a password to another server."""
    one = Sealer([NEW])

    with pytest.raises(Lost, match="enter the password again"):
        one.open(one.seal(PASSWORD, "ann"), *owner)


def test_whatever_was_changed_or_cut_is_lost_and_nothing_worse():
    """Each byte counts."""
    one = Sealer([NEW])
    sealed = one.seal(PASSWORD, "ann")
    spoilt = [sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :] for place in range(len(sealed))]

    for bad in [*spoilt, *(sealed[:length] for length in range(len(sealed))), sealed + b"\0", os.urandom(60)]:
        with pytest.raises(Lost, match="enter the password again"):
            one.open(bad, "ann")


def test_another_key_does_not_open_and_an_older_one_still_does():
    """What the older one sealed is known as such."""
    by_old = Sealer([OLD]).seal(PASSWORD, "ann")
    rotated = Sealer([NEW, OLD])

    assert (rotated.open(by_old, "ann"), rotated.outdated(by_old)) == (PASSWORD, True)
    again = rotated.seal(PASSWORD, "ann")
    assert not rotated.outdated(again)
    assert Sealer([NEW]).open(again, "ann") == PASSWORD
    with pytest.raises(Lost):
        Sealer([NEW]).open(by_old, "ann")


def test_a_sealer_shows_nothing_and_does_not_travel():
    """Neither in a traceback nor in a task's arguments."""
    one = Sealer([NEW])

    assert NEW.hex() not in repr(one)
    assert "nnnn" not in repr(one)
    with pytest.raises(TypeError, match="do not travel"):
        pickle.dumps(one)


def test_what_was_sealed_or_opened_is_taken_out_of_logs():
    """By whichever process knows it."""
    secret = secrets.token_urlsafe(20)
    Sealer([NEW]).seal(secret, "ann")

    assert secret not in redacted(f"the server says {secret}")


def test_the_first_use_makes_a_key_that_its_owner_alone_can_read(settings: Settings):
    """Outside the store, and the next process finds the same."""
    sealed = sealer(settings).seal(PASSWORD, "ann")

    file = key_file(settings)
    assert (mode(file), mode(file.parent)) == (0o400, 0o700)
    assert not file.is_relative_to(settings.store_uri)
    assert [there.name for there in file.parent.iterdir()] == [file.name]
    assert sealer(settings).open(sealed, "ann") == PASSWORD


def test_of_two_that_make_a_key_at_once_both_use_the_same(settings: Settings):
    """Whoever is later takes the one that is there."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        sealed = [found.result() for found in [pool.submit(lambda: sealer(settings).seal(PASSWORD)) for _ in range(8)]]

    assert {sealer(settings).open(one) for one in sealed} == {PASSWORD}


@pytest.mark.parametrize("open_to_others", [0o440, 0o404, 0o420, 0o402, 0o644, 0o666])
def test_a_key_that_others_can_read_or_write_is_refused(settings: Settings, open_to_others: int):
    """With what an administrator has to do about it."""
    sealer(settings)
    key_file(settings).chmod(open_to_others)

    with pytest.raises(KeyUnusable, match=r"administrator.*chmod 400"):
        sealer(settings)


@pytest.mark.parametrize(
    "text", ["", "\n", "short", "g" * 64, "a" * 63, "a" * 65, "ü" * 64, f"{'a' * 64}\nsecret word"]
)
def test_a_file_without_keys_is_refused_and_not_quoted(settings: Settings, text: str):
    """It says how a key is made."""
    sealer(settings)
    key_file(settings).chmod(0o600)
    key_file(settings).write_text(text, "utf8")

    with pytest.raises(KeyUnusable, match="openssl rand -hex 32") as refused:
        sealer(settings)
    assert "secret word" not in str(refused.value)


def test_a_named_key_file_that_is_away_is_not_made_anew(tmp_path: Path):
    """Else passwords would be lost for a share that is mounted later."""
    away = Settings(root=tmp_path, nextcloud=NextcloudSettings(key_file=tmp_path / "share" / "key"))

    with pytest.raises(KeyUnusable, match=r"nextcloud\.key_file.*not there"):
        sealer(away)
    assert not (tmp_path / "share").exists()


def test_a_new_key_above_the_old_one_rotates(settings: Settings):
    """The file has a key on each line, newest first."""
    by_old = sealer(settings).seal(PASSWORD, "ann")
    file = key_file(settings)
    file.chmod(0o600)
    file.write_text(f"{secrets.token_hex(32)}\n{file.read_text()}")

    assert sealer(settings).open(by_old, "ann") == PASSWORD
    assert sealer(settings).outdated(by_old)


def test_a_key_from_the_environment_leaves_it_and_lies_in_memory(settings: Settings):
    """For processes of the same user and root; no key is made then."""
    environment = {KEYS_VARIABLE: f"{NEW.hex()}, {OLD.hex()}", "PATH": "/bin"}

    assert take_over(settings, environment)

    assert environment == {"PATH": "/bin"}
    assert handed_file(settings).is_relative_to("/dev/shm")
    assert (mode(handed_file(settings)), mode(handed_file(settings).parent)) == (0o400, 0o700)
    assert Sealer([NEW]).open(sealer(settings).seal(PASSWORD, "ann"), "ann") == PASSWORD
    assert sealer(settings).open(Sealer([OLD]).seal(PASSWORD, "ann"), "ann") == PASSWORD
    assert not key_file(settings).exists()


def test_the_environment_comes_before_the_file_whose_keys_still_open(settings: Settings):
    """So passwords can move from one to the other."""
    by_file = sealer(settings).seal(PASSWORD, "ann")
    take_over(settings, {KEYS_VARIABLE: NEW.hex()})

    assert sealer(settings).open(by_file, "ann") == PASSWORD
    assert sealer(settings).outdated(by_file)
    forget_handed(settings)
    assert not sealer(settings).outdated(by_file)


def test_what_is_no_key_in_the_environment_is_refused_and_not_quoted(settings: Settings):
    """And is taken out all the same."""
    environment = {KEYS_VARIABLE: "my secret word"}

    with pytest.raises(KeyUnusable, match=KEYS_VARIABLE) as refused:
        take_over(settings, environment)
    assert "secret word" not in str(refused.value)
    assert environment == {}


def test_somebody_elses_folder_in_memory_is_not_believed(settings: Settings):
    """Everybody may make folders there."""
    folder = handed_file(settings).parent
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    (folder / "nextcloud").write_text(NEW.hex())

    assert sealer(settings).outdated(Sealer([NEW]).seal("x"))
    with pytest.raises(KeyUnusable, match="chmod 700"):
        take_over(settings, {KEYS_VARIABLE: NEW.hex()})


def test_neither_key_nor_password_travels_with_settings_or_into_rays_environment(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Not with a job's variables, not with settings as they go to writers, not with what a head inherits."""
    monkeypatch.setenv(KEYS_VARIABLE, NEW.hex())
    loaded = load_settings().model_copy(update={"root": settings.root})
    canaries = Canaries({"key": NEW.hex(), "password": PASSWORD})
    told = [pickle.dumps(loaded), loaded.model_dump_json().encode(), repr(loaded).encode()]

    assert canaries.in_bytes(b"".join(told)) == {}
    assert canaries.in_bytes(repr(job_environment(loaded)).encode()) == {}  # also before it was taken over
    assert canaries.in_bytes(repr(head_environment(os.environ)).encode()) == {}
    take_over(loaded, os.environ)
    sealer(loaded).seal(PASSWORD, "ann")
    assert canaries.in_bytes(inherited(tmp_path)) == {}
    assert canaries.in_files(settings.root) == {}


def inherited(tmp_path: Path) -> bytes:
    """The environment of a process that is started as a head is."""
    pid = spawn(["/usr/bin/env", "-0"], dict(os.environ), tmp_path / "environment")
    os.waitpid(pid, 0)
    found = (tmp_path / "environment").read_bytes()
    assert b"PATH=" in found
    return found
