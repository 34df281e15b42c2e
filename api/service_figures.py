"""Figures of services: how each is, from the fleet, and what was asked of it, from what replicas tell the board."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from prometheus_client.metrics_core import Metric

from api.deps import ModelCalls
from api.families import counter, gauge, histogram
from api.ledger import Ledger
from serve_apps.status import ReplicaStatus, ServiceStatus
from serve_apps.vitals import SECONDS, SIZES, TOPIC, Counts, Vitals

STATES = ("healthy", "starting", "degraded", "unhealthy", "failed", "stopped", "unconfigured")
SERVICE, REPLICA = ("service",), ("service", "node", "replica")


class ServiceFigures:
    """How services are. Remembers how many replicas were lost, which is never fewer."""

    def __init__(self, models: ModelCalls) -> None:
        self._models = models
        self._lost: dict[str, int] = {}

    async def families(self) -> list[Metric]:
        """State, replicas, queue and memory of every service."""
        statuses = await self._models.services()
        for status in statuses:
            self._lost[status.name] = max(status.restarts, self._lost.get(status.name, 0))
        return [
            gauge(
                "brightroom_service_state", "1 for the state that a service is in, 0 for all others.",
                ["service", "state"], [sample for status in statuses for sample in states(status)],
            ),
            gauge(
                "brightroom_service_replicas", "Replicas of a service that answer.", SERVICE,
                [([status.name], len(answering(status))) for status in statuses],
            ),
            gauge(
                "brightroom_service_queue", "Requests to a service that its model has not begun with.", SERVICE,
                [([status.name], status.queue) for status in statuses],
            ),
            counter(
                "brightroom_service_restarts", "Replicas of a service that were lost and replaced.", SERVICE,
                [([name], lost) for name, lost in self._lost.items()],
            ),
            per_replica(statuses, "memory", "Memory of a replica's process; replica 0 has answered for longest.",
                        lambda replica: replica.memory),
            per_replica(statuses, "gpu_memory", "GPU memory that the model of a replica holds.",
                        lambda replica: replica.gpu_memory),
        ]  # fmt: skip


class CallFigures:
    """What was asked of services, summed over all replicas there ever were, those that are gone too."""

    def __init__(self, board: Callable[[str], Mapping[str, Any]]) -> None:
        self._board = board
        self._ledger = Ledger(Counts, lambda counts: counts.calls + sum(counts.by_size))

    def families(self) -> Iterator[Metric]:
        """Requests, items, failures, times and batches of every service that ever had a replica; blocks."""
        for word in self._board(TOPIC).values():
            vitals = msgspec.convert(word, Vitals)
            self._ledger.hear(vitals.service, vitals.replica, vitals.counts)
        sums = {(name,): counts for name, counts in self._ledger.sums().items()}
        yield counter(
            "brightroom_service_requests", "Requests to a service that ended.", SERVICE,
            [(name, counts.calls) for name, counts in sums.items()],
        )  # fmt: skip
        yield counter(
            "brightroom_service_items", "Photos, texts or files in the requests to a service.", SERVICE,
            [(name, counts.items) for name, counts in sums.items()],
        )  # fmt: skip
        yield counter(
            "brightroom_service_failures", "Requests to a service that ended with an error.", SERVICE,
            [(name, counts.failures) for name, counts in sums.items()],
        )  # fmt: skip
        yield histogram(
            "brightroom_service_request_seconds", "Time from a request's arrival at a service to its answer.", SERVICE,
            SECONDS, [(name, counts.by_seconds, counts.seconds) for name, counts in sums.items()],
        )  # fmt: skip
        yield histogram(
            "brightroom_service_batch_items", "Photos, texts or files that a model was given at once.", SERVICE,
            SIZES, [(name, counts.by_size, counts.computed) for name, counts in sums.items()],
        )  # fmt: skip


def states(status: ServiceStatus) -> Iterator[tuple[list[str], int]]:
    """A sample for each state, of which a service is in one."""
    for state in dict.fromkeys((*STATES, status.state)):
        yield [status.name, state], state == status.state


def per_replica(
    statuses: Sequence[ServiceStatus], name: str, sentence: str, number: Callable[[ReplicaStatus], int]
) -> Metric:
    """A figure of each replica that answers. They are numbered: their ids are new ones after every restart."""
    samples = [
        ([status.name, replica.node, str(index)], number(replica))
        for status in statuses
        for index, replica in enumerate(answering(status))
    ]
    return gauge(f"brightroom_service_replica_{name}_bytes", sentence, REPLICA, samples)


def answering(status: ServiceStatus) -> list[ReplicaStatus]:
    """The replicas of a service that answer, the one that does for longest first."""
    running = [replica for replica in status.replicas if replica.state == "RUNNING"]
    return sorted(running, key=lambda replica: (replica.since is None, replica.since, replica.replica))
