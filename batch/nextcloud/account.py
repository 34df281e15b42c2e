"""What a server says of itself and of an account, outside WebDAV: /status.php and the OCS API."""

import msgspec

from batch.nextcloud.faults import Foreign, Unreachable
from batch.nextcloud.names import escaped_part


class Standing(msgspec.Struct, frozen=True):
    """How things are with an account that answers."""

    version: str  # of the server, as it says
    product: str  # "Nextcloud", or what the server calls itself
    user_id: str  # whose files they are; a login may be an e-mail address
    used: int  # bytes; -1 when not told
    free: int  # bytes that the quota leaves; -1 when not told or unlimited


class Status(msgspec.Struct, frozen=True):
    """What /status.php tells of a server."""

    installed: bool
    maintenance: bool
    version: str = msgspec.field(name="versionstring")
    product: str = msgspec.field(name="productname", default="Nextcloud")
    upgrading: bool = msgspec.field(name="needsDbUpgrade", default=False)


class Quota(msgspec.Struct, frozen=True):
    """What an account uses of the server's disk and may still use, in bytes; negative when not told or unlimited."""

    used: float = -1
    free: float = -1


class User(msgspec.Struct, frozen=True):
    """Whose files they are."""

    id: str
    quota: msgspec.Raw = msgspec.Raw(b"{}")  # PHP writes an empty one as a list, and some servers none


class Ocs(msgspec.Struct, frozen=True):
    """The inner part of an answer of the OCS API."""

    data: User


class Envelope(msgspec.Struct, frozen=True):
    """An answer of the OCS API."""

    ocs: Ocs


def status_of(body: bytes, host: str) -> Status:
    """What a server says of itself; raises Foreign when it is no Nextcloud, or none that is ready."""
    try:
        status = msgspec.json.decode(body, type=Status, strict=False)
    except (msgspec.MsgspecError, UnicodeError):
        raise Foreign(
            f"{host} answers, but is no Nextcloud. Check the address; some have a path after the name, as in "
            "https://cloud.example/nextcloud."
        ) from None
    if not status.installed:
        raise Foreign(f"The Nextcloud at {host} is not set up yet. Finish its installation first.")
    return status


def user_of(body: bytes, host: str) -> User:
    """Whose the account is; raises Unreachable for what is no such answer."""
    try:
        user = msgspec.json.decode(body, type=Envelope).ocs.data
        escaped_part(user.id)
    except (msgspec.MsgspecError, ValueError):
        raise Unreachable(f"{host} does not tell whose account this is. Try again later.", passing=True) from None
    return user


def standing(status: Status, user: User) -> Standing:
    """How things are, of what was told."""
    try:
        quota = msgspec.json.decode(user.quota, type=Quota, strict=False)
    except (msgspec.MsgspecError, UnicodeError):
        quota = Quota()
    used, free = (int(told) if 0 <= told < 1 << 62 else -1 for told in (quota.used, quota.free))
    return Standing(status.version[:40], status.product[:40], user.id, used, free)
