"""Ask the heart of a Ray cluster, its GCS: every answer, and every refusal, comes within seconds.

Ray itself takes twenty seconds over a wrong token and two minutes over an address where nobody listens (measured), and
a process that has joined learns of the cluster's end after a minute, by being ended. Joins nothing: `runtime.py` does.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ray._private import ray_constants
from ray._private.services import canonicalize_bootstrap_address_or_die, find_node_ids
from ray._raylet import (  # type: ignore[attr-defined]
    AuthenticationMode,
    AuthenticationTokenLoader,
    GcsClient,
    NodeID,
    get_authentication_mode,
)
from ray.core.generated.gcs_pb2 import GcsNodeInfo
from ray.core.generated.gcs_service_pb2 import GetAllNodeInfoRequest
from ray.exceptions import AuthenticationError, RayError

from cluster.errors import Unavailable

DEADLINE_S = 2.0  # of one question
SILENT_S = 8.0  # a GCS that does not answer for so long is gone; one that only restarts is back sooner
MEND = "start that cluster, or mend ray.address of the settings or RAY_ADDRESS"
MODE = "RAY_AUTH_MODE"
SHOW = f"set RAY_AUTH_TOKEN_PATH to the file that it was started with, or {MODE}=disabled if it asks for none"


class Gcs:
    """The GCS at an address; another cluster's that comes to answer there is not taken for it."""

    def __init__(self, address: str) -> None:
        """Raises Unavailable, with what to do, when nobody answers there or our token is not the cluster's."""
        self.address = located(address)
        if not listens(self.address):
            raise Unavailable(f"no Ray cluster answers at {self.address}; {MEND}")
        require_token(self.address)
        with admitted(self.address):
            self.client = GcsClient(address=self.address)

    def living(self, node_ids: list[str]) -> set[str]:
        """Those of some nodes that live; raises RayError when the GCS does not answer."""
        if not node_ids:  # Ray takes none for all
            return set()
        asked = [GetAllNodeInfoRequest.NodeSelector(node_id=NodeID.from_hex(one).binary()) for one in node_ids]
        alive = GcsNodeInfo.GcsNodeState.ALIVE
        told = self.client.get_all_node_info(timeout=DEADLINE_S, node_selectors=asked, state_filter=alive)
        return {node_id.hex() for node_id in told}

    def require_node_here(self) -> None:
        """Raise Unavailable where none of the cluster's nodes is on this machine: only through one can we join."""
        with admitted(self.address):
            if not self.living(list(find_node_ids())):
                way = "run Brightroom on one of its nodes, or make this machine one with `ray start --address`"
                raise Unavailable(f"no node of the Ray cluster at {self.address} runs on this machine; {way}")

    def dashboard(self) -> str:
        """Where the dashboard answers: http://host:port. Raises Unavailable when the cluster has none."""
        space = ray_constants.KV_NAMESPACE_DASHBOARD
        with admitted(self.address):
            told: bytes | None = self.client.internal_kv_get(b"webui:url", space, timeout=DEADLINE_S)
        if not told:
            raise Unavailable(
                f"the Ray cluster at {self.address} has no dashboard, which takes jobs; start it with one"
            )
        return f"http://{told.decode()}"


class Bond:
    """Whether the cluster that this process has joined, and the node it joined by, are still there."""

    def __init__(self, gcs: Gcs, node_id: str) -> None:
        self.gcs, self.node_id = gcs, node_id
        self.heard_at = time.monotonic()

    def broken(self) -> bool:
        """Whether they are gone: the GCS says so of the node, or has not answered for a while, or is another's."""
        with suppress(RayError):
            if listens(self.gcs.address):
                there = bool(self.gcs.living([self.node_id]))
                self.heard_at = time.monotonic()
                return not there
        return time.monotonic() - self.heard_at > SILENT_S


def located(address: str) -> str:
    """An address as host:port, `auto` as that of the cluster on this machine; raises Unavailable when there is none."""
    try:
        return str(canonicalize_bootstrap_address_or_die(address))
    except (ConnectionError, ValueError) as error:
        raise Unavailable(f"no Ray cluster is to be found at {address}: {error}") from error


def listens(address: str) -> bool:
    """Whether somebody listens at host:port."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), DEADLINE_S):
            return True
    except (OSError, ValueError):
        return False


def require_token(address: str) -> None:
    """Raise Unavailable where a token is to be shown and there is none: Ray would end this process for that."""
    if get_authentication_mode() != AuthenticationMode.TOKEN:
        return
    with suppress(AuthenticationError):  # the file that should hold it is not there
        if AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True):
            return
    raise Unavailable(f"there is no token to show to the Ray cluster at {address}; {SHOW}")


@contextmanager
def admitted(address: str) -> Iterator[None]:
    """Make Unavailable of a token that is not the cluster's, and of a GCS that does not answer."""
    try:
        yield
    except AuthenticationError as error:
        raise Unavailable(locked_out(address)) from error
    except RayError as error:
        raise Unavailable(f"the Ray cluster at {address} does not answer: {error}") from error


def locked_out(address: str) -> str:
    """What to do where a cluster does not let us in."""
    if os.environ.get(MODE) == "disabled":
        return f"the Ray cluster at {address} asks for a token; unset {MODE}, and {SHOW.partition(',')[0]}"
    return f"the Ray cluster at {address} does not take our token; {SHOW}"
