"""The server as a machine: what it has and uses, what libraries take of its disk, which version it runs."""

import asyncio
import logging
import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from api.access import ADMIN, USER
from api.deps import Deps, Given, Me
from api.node_view import NodeView, node_view, owners
from api.storage import Storages
from cluster.errors import StoreError
from cluster.machine import Disk, disk
from cluster.stats import ClusterStats, ObjectStore
from cluster.store.storage import Storage, size_of
from cluster.store.users import User

log = logging.getLogger(__name__)

PACKAGES = (
    "ray", "lancedb", "pyarrow", "numpy", "torch", "torchvision", "transformers", "open_clip_torch", "onnxruntime",
    "pyvips", "litestar", "uvicorn", "msgspec",
)  # fmt: skip

Sizes = NamedDependency[SkipValidation[Storages]]


class UserStorage(msgspec.Struct, frozen=True):
    """What one user's library takes."""

    user_id: str
    name: str
    storage: Storage | None  # null when the library cannot be read; the log of the API says why


class ServerStorage(msgspec.Struct, frozen=True):
    """The disk that databases and derived pictures are on, and what libraries that can be read take, in bytes."""

    disk: Disk | None
    originals: int  # of all users; they may lie on other disks. One that two users share counts twice
    derived: int
    database: int | None  # libraries and the system's own; null when they are not on a disk of ours
    users: list[UserStorage]


class RayView(msgspec.Struct, frozen=True):
    """Ray: how many nodes, what it has to give and has left, how full its object store is."""

    version: str
    nodes: int
    resources_total: dict[str, float]
    resources_available: dict[str, float]
    object_store: ObjectStore


class ServerStats(msgspec.Struct, frozen=True):
    """Everything about the machines."""

    nodes: list[NodeView]
    storage: ServerStorage
    ray: RayView


class OwnStorage(msgspec.Struct, frozen=True):
    """What one's own library takes, in bytes, of which disks."""

    storage: Storage
    disk: Disk | None  # that derived pictures and databases are on
    originals_disk: Disk | None  # that the scan directory is on; often the same one


class Version(msgspec.Struct, frozen=True):
    """Which Brightroom this is, and what it is made with."""

    version: str
    git_hash: str  # `unknown` where nobody wrote it down
    modified: bool  # the sources are not as they were in that commit
    built_at: str  # ISO 8601, or `unknown`
    python: str
    packages: dict[str, str]


@get("/stats", opt=ADMIN, summary="The machines and what is stored on them")
async def server_stats(deps: Given, storages: Sizes) -> ServerStats:
    """CPUs, memory, GPUs with the services on them, disk, what each library takes, and Ray."""
    stats, services, stored = await asyncio.gather(
        asyncio.to_thread(deps.cluster), deps.models.services(), asyncio.to_thread(all_storage, deps, storages)
    )
    owned = owners(services)
    return ServerStats([node_view(node, owned) for node in stats.nodes], stored, ray_view(stats))


@get("/storage", opt=USER, sync_to_thread=True, summary="What one's own library takes of the disk")
def own_storage(deps: Given, user: Me, storages: Sizes) -> OwnStorage:
    """Originals, derived pictures and database, and how full the disks are."""
    originals_disk = disk(user.scan_directory) if user.scan_directory else None
    return OwnStorage(storages.of(user.user_id), disk(deps.settings.root), originals_disk)


@get("/version", opt=USER, sync_to_thread=False, summary="Which Brightroom this is")
def show_version(deps: Given, version: NamedDependency[str]) -> Version:
    """Its version, the commit it was built from and when, Python, and the packages that matter."""
    built = msgspec.structs.asdict(deps.build)
    return Version(version=version, python=platform.python_version(), packages=packages(), **built)


def all_storage(deps: Deps, storages: Storages) -> ServerStorage:
    """What everybody's libraries take; blocks."""
    users = [user_storage(user, storages) for user in deps.system.users.list()]
    stored = [user.storage for user in users if user.storage]
    databases = [size_of(deps.system.database), *[one.database for one in stored]]
    known = [size for size in databases if size is not None]
    return ServerStorage(
        disk=disk(deps.settings.root),
        originals=sum(one.originals for one in stored),
        derived=sum(one.derived for one in stored),
        database=sum(known) if len(known) == len(databases) else None,
        users=users,
    )


def user_storage(user: User, storages: Storages) -> UserStorage:
    """What one user's library takes. One that cannot be read hides neither the others nor the machines."""
    try:
        return UserStorage(user.user_id, user.name, storages.of(user.user_id))
    except (StoreError, RuntimeError, OSError) as error:
        log.warning("the library of %s cannot be read: %s", user.user_id, error)
        return UserStorage(user.user_id, user.name, None)


def ray_view(stats: ClusterStats) -> RayView:
    """Ray's part of a snapshot."""
    return RayView(
        stats.ray_version, len(stats.nodes), stats.resources_total, stats.resources_available, stats.object_store
    )


def packages() -> dict[str, str]:
    """The versions of the packages that matter and are installed; none of them is imported."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = installed(name)
        except PackageNotFoundError:
            continue
    return found


ROUTES = Router("/api/server", route_handlers=[server_stats, own_storage, show_version], tags=["server"])
