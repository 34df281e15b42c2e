"""The latest word of whoever works in the cluster, for whoever looks: a named actor that holds nothing that matters.

Topics keep apart what jobs, replicas and writers tell. The board is gone with the cluster; the truth is rows.
"""

from contextlib import suppress
from typing import Any, cast

import ray
from ray.exceptions import RayError

from cluster.errors import Unavailable

NAME = "board"
MOST = 2000  # words of one topic; the one longest unheard of makes room
WITHIN_S = 2.0  # an answer comes, or there is none


class Board:
    """The last word of each, by topic and key."""

    def __init__(self) -> None:
        self.topics: dict[str, dict[str, Any]] = {}

    def post(self, topic: str, key: str, told: Any) -> None:
        """Put a word up in place of the last one under its key."""
        words = self.topics.setdefault(topic, {})
        words.pop(key, None)
        words[key] = told
        if len(words) > MOST:
            words.pop(next(iter(words)))

    def read(self, topic: str, key: str) -> Any | None:
        """The last word under a key, or None."""
        return self.topics.get(topic, {}).get(key)

    def all(self, topic: str) -> dict[str, Any]:
        """The last word of each under a topic."""
        return self.topics.get(topic, {})

    def clear(self, topic: str, key: str) -> None:
        """Take a word down."""
        self.topics.get(topic, {}).pop(key, None)


def board(namespace: str) -> Any:
    """The board's handle; starts it where there is none."""
    options = ray.remote(Board).options(
        name=NAME, namespace=namespace, lifetime="detached", get_if_exists=True, num_cpus=0, max_restarts=-1
    )
    return cast(Any, options).remote()


def read(namespace: str, topic: str, key: str) -> Any | None:
    """The last word under a key; None when there is none, or no board that answers."""
    return asked(namespace, lambda actor: actor.read.remote(topic, key))


def read_all(namespace: str, topic: str) -> dict[str, Any]:
    """The last word of each under a topic; empty when there is no board that answers."""
    return asked(namespace, lambda actor: actor.all.remote(topic)) or {}


def topic(namespace: str, name: str) -> dict[str, Any]:
    """The last word of each under a topic; raises Unavailable when there is no board that answers."""
    words: dict[str, Any] | None = asked(namespace, lambda actor: actor.all.remote(name))
    if words is None:
        raise Unavailable("the cluster's board does not answer; where Brightroom runs, it comes back by itself")
    return words


def asked(namespace: str, question: Any) -> Any | None:
    """What the board answers; None where there is none, which is not made for a question."""
    if not ray.is_initialized():
        return None  # to ask would start a cluster
    with suppress(ValueError, RayError):  # ValueError: there is no such actor
        return ray.get(question(ray.get_actor(NAME, namespace=namespace)), timeout=WITHIN_S)
    return None
