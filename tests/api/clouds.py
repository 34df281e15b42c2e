"""A world whose users may connect to a stand-in Nextcloud on this machine, and to nothing else."""

import dataclasses
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from batch.connections import Connections
from batch.nextcloud.addresses import Addresses
from batch.nextcloud.patience import Patience
from batch.nextcloud.transport import Transport
from cluster.settings import NextcloudSettings
from tests.api.world import World, answering, build
from tests.nextcloud.server import StandIn

ALLOWED = NextcloudSettings(allowed_networks=["127.0.0.1"], least_free_gb=0)
QUICK = Patience(
    connect_s=2, read_s=2, tries=2, first_wait_s=0.01, longest_wait_s=1, maintenance_s=0, answer_s=5, window_s=2
)


@contextmanager
def clouded(root: Path, trust: ssl.SSLContext, nextcloud: NextcloudSettings = ALLOWED) -> Iterator[World]:
    """A world with the users ann, ben and root that answers, and believes a stand-in's certificate."""
    world = build(root)
    world.settings = world.settings.model_copy(update={"nextcloud": nextcloud})
    transport = Transport(Addresses(nextcloud.allowed_networks, nextcloud.plain_http), QUICK, trust)
    connections = Connections(world.settings, world.system, transport)
    world.deps = dataclasses.replace(world.deps, settings=world.settings, connections=connections)
    world.user("ann")
    world.user("ben")
    world.user("root", admin=True)
    with answering(world), closing(connections):
        yield world


def told(answer: httpx.Response, status: int = 200) -> Any:
    """What an answer of that status says."""
    assert answer.status_code == status, answer.text
    return answer.json()


def account(cloud: StandIn, **other: str) -> dict[str, str]:
    """What Ann enters."""
    return {"server": cloud.url, "login": cloud.user, "password": cloud.app_password(), **other}


def connect(client: httpx.Client, cloud: StandIn, **other: str) -> Any:
    """Connect, and what is answered."""
    return told(client.put("/api/nextcloud", json=account(cloud, **other)))
