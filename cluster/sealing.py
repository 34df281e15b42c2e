"""Secrets sealed with keys that are not in the store, so that no copy of the store gives them away.

Where the keys are: in a file that only its owner can read, or in a variable of the environment of whoever starts
Brightroom, which takes it out of its environment at once. Then it lies, for our own processes on this machine, in
memory that no disk holds (`/dev/shm`), as a file of the same kind. What is sealed, and for whom, is not known here.
"""

import hashlib
import hmac
import os
import re
import secrets
import stat
import tempfile
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cluster.errors import Conflict, Unavailable
from cluster.redaction import remember
from cluster.settings import KEYS_VARIABLE, Settings

KEY = re.compile(r"[0-9A-Fa-f]{64}")  # 32 bytes
LONGEST = 64 * 1024  # bytes of a file of keys
FORM = b"\x01"  # of what is sealed: this byte, the key's mark, the nonce, then what AES-GCM makes
MARK, NONCE = 8, 12  # bytes
MEMORY = Path("/dev/shm")
LOST = "The password that was kept for you cannot be read any more, as its key is gone; enter the password again."
OPEN = "can be read by others than its owner; an administrator has to make it readable by its owner alone (chmod 400)."
NOT_THERE = (
    "The file that nextcloud.key_file names is not there; an administrator has to bring it back, "
    "or to make a new one: `openssl rand -hex 32`, readable by its owner alone."
)
NO_KEY = "has a line that is no key; a key is 64 hexadecimal digits, as `openssl rand -hex 32` prints them."


class Lost(Conflict):
    """What is sealed cannot be opened: its key is gone or another one, or it is not whole, or not this owner's."""


class KeyUnusable(Unavailable):
    """The keys themselves cannot be used, which an administrator has to mend."""


class Sealer:
    """Seals and opens with some keys, newest first: the first one seals, all of them open."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys`: of 32 bytes each, at least one."""
        self._keys = {mark_of(key): AESGCM(key) for key in keys}
        self._newest = mark_of(keys[0])

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys do not travel between processes; open them where they are used")

    def seal(self, secret: str, *owner: str) -> bytes:
        """A text as bytes that only these keys open, and only for the same owner: row, purpose, whatever it is for."""
        remember(secret)
        nonce = secrets.token_bytes(NONCE)
        sealed = self._keys[self._newest].encrypt(nonce, secret.encode(errors="surrogatepass"), bound_to(owner))
        return FORM + self._newest + nonce + sealed

    def open(self, sealed: bytes, *owner: str) -> str:
        """What was sealed for this owner; raises Lost."""
        mark, nonce, rest = sealed[1 : 1 + MARK], sealed[1 + MARK : 1 + MARK + NONCE], sealed[1 + MARK + NONCE :]
        key = self._keys.get(mark)
        if key is None or sealed[:1] != FORM or len(nonce) != NONCE:
            raise Lost(LOST)
        try:
            secret = key.decrypt(nonce, rest, bound_to(owner)).decode(errors="surrogatepass")
        except (InvalidTag, ValueError):
            raise Lost(LOST) from None
        remember(secret)
        return secret

    def outdated(self, sealed: bytes) -> bool:
        """Whether an older key sealed this, so that it should be sealed anew."""
        return sealed[1 : 1 + MARK] != self._newest


def mark_of(key: bytes) -> bytes:
    """By what a key is known, which tells nothing of it."""
    return hmac.digest(key, b"brightroom: the mark of a key", hashlib.sha256)[:MARK]


def bound_to(owner: Sequence[str]) -> bytes:
    """An owner as bytes, of which no two are alike."""
    return msgspec.json.encode([part.encode(errors="surrogatepass") for part in owner])


def sealer(settings: Settings) -> Sealer:
    """A sealer with the keys that there are: handed over from the environment, then those in the file.

    The file is made, with a new key, where there is neither. Raises KeyUnusable.
    """
    file, handed = key_file(settings), handed_file(settings)
    places = [handed] if ours(handed.parent) and handed.exists() else []
    if not places and not file.exists():
        if settings.nextcloud.key_file:  # it was meant to be there, perhaps on a share that is not mounted just now
            raise KeyUnusable(NOT_THERE)
        write_new(file, f"{secrets.token_hex(32)}\n")
    places += [file] if file.exists() else []
    return Sealer([key for place in places for key in keys_in(place)])


def key_file(settings: Settings) -> Path:
    """Where keys are kept when nobody hands any over."""
    return settings.nextcloud.key_file or settings.root / "keys" / "nextcloud"


def handed_file(settings: Settings) -> Path:
    """Where keys from the environment lie in memory, for processes of the same user and root on this machine."""
    root = hashlib.sha256(os.fsencode(settings.root)).hexdigest()[:16]
    return MEMORY / f"brightroom-{os.getuid()}-{root}" / "nextcloud"


def take_over(settings: Settings, environment: MutableMapping[str, str]) -> bool:
    """Take keys out of an environment and hand them to our processes on this machine; whether there were any.

    From then on no process inherits them. Raises KeyUnusable for what is no key, and where there is no such memory.
    """
    given = environment.pop(KEYS_VARIABLE, "")
    if not given.strip():
        return False
    keys_of(given, KEYS_VARIABLE)
    if not MEMORY.is_dir():
        raise KeyUnusable(f"{KEYS_VARIABLE} needs {MEMORY}, which is not here; keep the key in nextcloud.key_file.")
    write_over(handed_file(settings), "\n".join(given.replace(",", " ").split()) + "\n")
    return True


def forget_handed(settings: Settings) -> None:
    """Hand over nothing any more."""
    if ours(handed_file(settings).parent):
        handed_file(settings).unlink(missing_ok=True)


def keys_in(file: Path) -> list[bytes]:
    """The keys of a file; raises KeyUnusable for one that others can read or write, or that holds no keys."""
    name = KEYS_VARIABLE if MEMORY in file.parents else "The key file (nextcloud.key_file)"
    try:
        with file.open("rb") as opened:
            refuse_open_to_others(os.fstat(opened.fileno()), name)
            text = opened.read(LONGEST).decode("ascii")
    except UnicodeDecodeError:
        raise KeyUnusable(f"{name} {NO_KEY}") from None
    except OSError as error:
        raise KeyUnusable(f"{name} cannot be read ({error.strerror}); an administrator has to mend that.") from None
    return keys_of(text, name)


def refuse_open_to_others(found: os.stat_result, name: str) -> None:
    """Raise KeyUnusable for a file that is somebody else's, or that others may read or write.

    One of root's may be read by a group: so a container is given its secrets.
    """
    allowed = stat.S_IRWXU if found.st_uid == os.getuid() else stat.S_IRWXU | stat.S_IRGRP
    if found.st_uid not in (os.getuid(), 0) or stat.S_IMODE(found.st_mode) & ~allowed:
        raise KeyUnusable(f"{name} {OPEN}")


def keys_of(text: str, name: str) -> list[bytes]:
    """Keys as they are written down, newest first, with spaces, commas or line ends between; raises KeyUnusable."""
    words = text.replace(",", " ").split()
    if not words or not all(KEY.fullmatch(word) for word in words):
        raise KeyUnusable(f"{name} {NO_KEY}")
    for word in words:
        remember(word)
    return [bytes.fromhex(word) for word in words]


def write_new(file: Path, text: str) -> None:
    """Write a file that its owner alone may read, durably; one that is there by then stays."""
    scratch = scratch_of(file, text)
    with suppress(FileExistsError):  # another process was quicker
        os.link(scratch, file)
    scratch.unlink()
    sync(file.parent)


def write_over(file: Path, text: str) -> None:
    """Write a file that its owner alone may read, in place of one that is there."""
    scratch_of(file, text).replace(file)


def scratch_of(file: Path, text: str) -> Path:
    """A file beside another, for its owner alone, in a folder for its owner alone; raises KeyUnusable."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not ours(file.parent):
            raise KeyUnusable(f"The folder of keys {OPEN.replace('400', '700')}")
        descriptor, scratch = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
            out.flush()
            os.fchmod(descriptor, 0o400)
            os.fsync(descriptor)
    except OSError as error:
        raise KeyUnusable(f"No key can be written ({error.strerror}); an administrator has to mend that.") from None
    return Path(scratch)


def ours(folder: Path) -> bool:
    """Whether a folder is there, and nobody else may put files into it."""
    try:
        there = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(there.st_mode) and there.st_uid == os.getuid() and not there.st_mode & 0o022


def sync(folder: Path) -> None:
    """Have the names in a folder reach the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
