"""Reach Ray: use a head of our own together with whoever uses it already, or join a cluster that is there.

The only `ray.init` in the repository is here. Starts no service and no job.
"""

import logging
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import ray
from ray._private import auto_init_hook, ray_constants, ray_logging
from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

from cluster.errors import Unavailable
from cluster.gcs import Bond, Gcs
from cluster.head import Head, answers, await_head, family, free_port, launch, read_head, run_dir, stop_head
from cluster.locks import hold_alone, one_at_a_time, opened, share
from cluster.redaction import remember_file
from cluster.settings import Settings

__all__ = [
    "authenticate", "connect", "dashboard_of", "family", "free_port", "head_gone", "leave_ray", "loss", "read_head",
    "running_head", "start_head", "using_head",
]  # fmt: skip

NOT_RUNNING = "Brightroom is not running here; start it with `brightroom up`"


@contextmanager
def using_head(settings: Settings, say: Callable[[str], None]) -> Iterator[bool]:
    """A head of ours for as long as the block runs; the last of its users, in whichever process, stops it.

    Yields whether nobody else uses it: it was started now, or those who used it were killed. Raises Unavailable when
    it does not answer in time.
    """
    with opened(run_dir(settings) / "head-users.lock") as users, ExitStack() as leaving:
        with coming_and_going(settings):
            alone = hold_alone(users)
            share(users)
            leaving.callback(leave, settings, users, say)
            start_head(settings, say)
        yield alone


def leave(settings: Settings, users: int, say: Callable[[str], None]) -> None:
    """Use the head no longer, and stop it if nobody else does."""
    with coming_and_going(settings):
        if not hold_alone(users):
            say("leaving Ray running: another `brightroom` uses it")
            return
        try:
            say("stopping Ray")
        finally:  # also when the terminal is gone
            stop_head(settings)


def coming_and_going(settings: Settings) -> AbstractContextManager[None]:
    """A block in which nobody else starts the head, joins it or stops it."""
    return one_at_a_time(run_dir(settings) / "head.lock")


def start_head(settings: Settings, say: Callable[[str], None]) -> Head:
    """The head that runs, or one that is started, once it answers; one caller at a time.

    Raises Unavailable when it does not answer in time.
    """
    authenticate(settings)
    head = read_head(settings)
    if head is None or not head.alive():
        say("starting Ray")
        head = launch(settings)
    await_head(settings, head)
    return head


def head_gone(settings: Settings) -> bool:
    """Whether the head of ours that this process uses has ended; never of a cluster that is somebody else's."""
    head = read_head(settings)
    return settings.ray.address is None and (head is None or not head.alive())


def loss(settings: Settings) -> Callable[[], bool]:
    """What tells, asked every second or two, whether the Ray that this process works with is gone."""
    if settings.ray.address is None or not ray.is_initialized():
        return partial(head_gone, settings)
    joined = ray.get_runtime_context()
    return Bond(Gcs(joined.gcs_address), joined.get_node_id()).broken


def running_head(settings: Settings) -> Head | None:
    """The head that a process of ours started under this root and that still answers."""
    head = read_head(settings)
    if head and head.alive() and answers(head.ports[0]):
        authenticate(settings)
        return head
    return None


def connect(settings: Settings, address: str | None = None) -> None:
    """Join Ray: at the given address, else the settings', else the head of ours that runs.

    Raises Unavailable, within seconds, when there is none, or when it does not let us in.
    """
    if ray.is_initialized():
        return
    authenticate(settings)
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    head = running_head(settings)
    where = address or settings.ray.address or (head.gcs if head else None)
    if where is None:
        raise Unavailable(NOT_RUNNING)
    ours = head is not None and where == head.gcs
    keep_to_loopback(ours)
    keep_quiet()
    never_by_itself()
    if not ours:
        Gcs(where).require_node_here()
    try:
        ray.init(address=where, namespace=settings.ray.namespace, log_to_driver=False, logging_level="ERROR")
    except ConnectionError as error:
        raise Unavailable(f"the Ray cluster at {where} does not answer: {error}") from error


def keep_to_loopback(wanted: bool) -> None:
    """Let Ray take 127.0.0.1 for what it is, as our head does; otherwise it looks for the machine's outer address."""
    ray_constants.ENABLE_RAY_CLUSTER = not wanted  # RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER, read when Ray was imported


def keep_quiet() -> None:
    """Keep what raylets have to say in Ray's logs, out of a person's terminal, where log_to_driver does not keep it."""
    ray_logging.stdout_deduplicator.skip_re = re.compile("")  # RAY_DEDUP_LOGS_SKIP_REGEX, read when Ray was imported


def leave_ray() -> None:
    """Leave Ray. Threads of Serve go on for a while and complain that it is gone, which is nobody's business."""
    logging.getLogger("ray.serve").setLevel(logging.CRITICAL)
    ray.shutdown()


def never_by_itself() -> None:
    """Keep Ray from starting a cluster for a call that comes when none is joined, such as a thread's last one."""
    auto_init_hook.enable_auto_connect = False  # RAY_ENABLE_AUTO_CONNECT, read when Ray was imported


def dashboard_of(settings: Settings) -> str:
    """Where jobs are submitted: http://host:port. Raises Unavailable when nothing runs."""
    if settings.ray.dashboard:
        return settings.ray.dashboard
    if settings.ray.address:
        authenticate(settings)
        return Gcs(settings.ray.address).dashboard()
    if head := running_head(settings):
        return head.dashboard
    raise Unavailable(NOT_RUNNING)


def authenticate(settings: Settings) -> None:
    """Make this process and its children show the cluster's token: of a head of ours, one that is made where none is.

    That of a cluster which is somebody else's is in the environment: RAY_AUTH_TOKEN, or a file in RAY_AUTH_TOKEN_PATH.
    A process that has joined a cluster keeps to that one's: Ray ends a driver that shows another.
    """
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    if settings.ray.address is None:
        os.environ["RAY_AUTH_TOKEN_PATH"] = str(token_file(settings))
        remember_file(token_file(settings))
    Config.initialize("")  # Ray read its variables when it was imported
    AuthenticationTokenLoader.instance().reset_cache()


def token_file(settings: Settings) -> Path:
    """The file with the token of heads started under this root, readable by its user only."""
    file = run_dir(settings) / "ray-token"
    with suppress(FileExistsError):
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_hex(32))
    return file
