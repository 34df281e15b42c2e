"""What the application is made of, handed in by whoever starts it: no route reaches for a collaborator itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from api.passwords import Passwords
from batch.connections import Connections
from batch.sink import Commits
from cluster.build import Build
from cluster.errors import Unavailable
from cluster.settings import Settings
from cluster.stats import ClusterStats
from cluster.store.database import Library, System
from cluster.store.jobs import Job
from cluster.store.timeline import PhotoFilter
from cluster.store.users import User
from serve_apps.models.protocol import Caption, CaptionRequest, Image
from serve_apps.models.similarity import Match
from serve_apps.online import Embedded, FacesSeen
from serve_apps.status import ServiceStatus


class JobControl(Protocol):
    """Starts and steers jobs. Every method blocks, and raises a ServiceError when it cannot do as asked."""

    def start(self, owner: str, action: str, arguments: dict[str, Any], by: str = "") -> Job:
        """The job that runs an action over an owner's library: a new one, or the one that does just this already.

        `by` is the user_id of who asks. Raises Conflict while one with other arguments is under way.
        """
        ...

    def pause(self, job_id: str) -> Job:
        """Ask a job to stop between two chunks, to be resumed."""
        ...

    def resume(self, job_id: str) -> Job:
        """Let a paused or interrupted job go on, or take the wish for a pause back."""
        ...

    def cancel(self, job_id: str) -> Job:
        """Ask a job to end; what it committed stays."""
        ...

    def retry(self, job_id: str, by: str = "") -> Job:
        """A job that tries what failed in this one again; raises Conflict where nothing did."""
        ...

    def live(self, job_id: str) -> dict[str, Any] | None:
        """A running job's numbers in flight, `stages` and `counts`; None when nobody has any."""
        ...


class ModelCalls(Protocol):
    """The services that requests ask, and what administrators want of them.

    Every call raises Unavailable when its service is not there to answer.
    """

    async def embed(self, item: str | Image) -> Embedded:
        """The vector of a text or a picture, by the model whose vectors are searched."""
        ...

    async def nearest(
        self, owner: str, near: Embedded, limit: int, within: PhotoFilter | None = None
    ) -> Sequence[Match]:
        """The photos of an owner nearest to a vector, best first; among those alone that a filter lets through."""
        ...

    async def similar(self, owner: str, photo_id: str, limit: int) -> Sequence[Match]:
        """The photos of an owner nearest to one of them, best first, without itself."""
        ...

    async def caption(self, request: CaptionRequest) -> Caption:
        """A sentence for a picture."""
        ...

    async def faces(self, image: Image) -> FacesSeen:
        """The faces in a picture, with the vectors of the model that faces are compared by."""
        ...

    async def services(self) -> Sequence[ServiceStatus]:
        """How every service is."""
        ...

    def start(self, name: str, by: str) -> ServiceStatus:
        """Want a service running; blocks, as do the two that follow. Raises NotFound."""
        ...

    def stop(self, name: str, by: str) -> ServiceStatus:
        """Want a service stopped; raises NotFound."""
        ...

    def choose(self, name: str, changes: Mapping[str, Any], by: str) -> ServiceStatus:
        """Choose the model of a service; raises NotFound, and Invalid for a model that cannot be."""
        ...


def nobody(topic: str) -> Mapping[str, Any]:
    """What a board says where there is none; raises Unavailable, as a board does that does not answer."""
    raise Unavailable(f"nobody tells anything of {topic} here")


@dataclass(frozen=True)
class Deps:
    """All collaborators of the application."""

    settings: Settings
    system: System
    library: Callable[[str], Library]  # by user_id; opens at most once
    jobs: JobControl
    models: ModelCalls
    cluster: Callable[[], ClusterStats]  # blocks
    revisions: Callable[[], Mapping[str, str]] = dict  # by stage, what its model is at; pending is what is not. Blocks
    passwords: Passwords = field(default_factory=Passwords)
    build: Build = field(default_factory=Build)
    writer: Callable[[str], Commits] = field(kw_only=True)  # of the library of a user_id; blocks, as does its commit
    board: Callable[[str], Mapping[str, Any]] = nobody  # the last words under a topic, by who told them; blocks
    dashboard: Callable[[], str] = str  # where Ray's own pages are, "" for nowhere; blocks
    connections: Connections | None = None  # to users' Nextclouds; none: as the settings say


# How a route asks for them. `owned` is the library of whoever is logged in: no route takes an owner from a request.
Given: TypeAlias = NamedDependency[SkipValidation[Deps]]
Owned: TypeAlias = NamedDependency[SkipValidation[Library]]
Me: TypeAlias = NamedDependency[SkipValidation[User]]
Clouds: TypeAlias = NamedDependency[SkipValidation[Connections]]
