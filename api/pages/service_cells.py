"""A service as its row on the page tells: texts and switches by name, the same at the first look and at later ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.pages.words import WORDS, number, size

TONES = {"healthy": "good", "starting": "busy", "degraded": "careful", "unhealthy": "bad", "failed": "bad"}


def of_services(services: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the rows of some services tell, by `service.cell`."""
    return {f"{one['name']}.{cell}": value for one in services for cell, value in of_service(one).items()}


def of_service(service: Mapping[str, Any]) -> dict[str, Any]:
    """What one service's row tells; what is true or false says whether something is shown."""
    stopped = service["wanted"] == "stopped"
    may_start = stopped or service["state"] == "failed"
    may_stop = not stopped and service["state"] != "unconfigured"
    return {
        "state": WORDS.named("admin", service["state"]), "tone": f"badge {TONES.get(service['state'], '')}".strip(),
        "reason": service["reason"], "model": service["model"], "device": service["device"],
        "replicas": replicas(service), "gpu": gpu(service), "held": held(service),
        "requests": number(service["requests"]), "errors": errors(service), "wrong": service["failures"] > 0,
        "right": service["failures"] == 0, "queue": WORDS("admin.queue", n=service["queue"]),
        "queued": service["queue"] > 0, "times": times(service), "next": following(service),
        "changing": bool(service["next_model"]), "next_reason": service["next_reason"], "start": may_start,
        "stop": may_stop,
    }  # fmt: skip


def replicas(service: Mapping[str, Any]) -> str:
    """How many replicas answer, of how many there may be."""
    if service["state"] == "unconfigured":
        return ""
    running = sum(one["state"] == "RUNNING" for one in service["replicas"])
    return WORDS("admin.runs_of", running=running, most=max(service["max_replicas"], running))


def gpu(service: Mapping[str, Any]) -> str:
    """The share of a GPU that each replica is placed with."""
    if service["state"] == "unconfigured":
        return ""
    return WORDS("admin.gpu_share", share=f"{service['gpus']:g}") if service["gpus"] else WORDS("admin.no_gpu")


def held(service: Mapping[str, Any]) -> str:
    """What the replicas truly hold: of GPUs where they have any, else of the machines."""
    on_gpus = sum(one["gpu_memory"] for one in service["replicas"])
    if on_gpus:
        return WORDS("admin.gpu_held", size=size(on_gpus))
    own = sum(one["memory"] for one in service["replicas"])
    return WORDS("admin.memory_held", size=size(own)) if own else ""


def errors(service: Mapping[str, Any]) -> str:
    """How many requests failed."""
    failures = service["failures"]
    return WORDS("admin.failures", n=failures) if failures else WORDS("admin.no_failures")


def times(service: Mapping[str, Any]) -> str:
    """How long half and nearly all of the last requests took at most."""
    if service["p50_s"] is None:
        return WORDS("admin.nothing_measured") if service["state"] != "unconfigured" else ""
    return f"{lasting(service['p50_s'])} / {lasting(service['p99_s'])}"


def following(service: Mapping[str, Any]) -> str:
    """The model that a change is under way to."""
    if not service["next_model"]:
        return ""
    state = WORDS.named("admin", service["next_state"])
    return WORDS("admin.next_model_line", model=service["next_model"], state=state)


def lasting(seconds: float) -> str:
    """A short time in the unit that suits it."""
    if seconds < 1:
        return WORDS("admin.milliseconds", n=f"{1000 * seconds:.0f}" if seconds >= 0.01 else f"{1000 * seconds:.1f}")
    return WORDS("admin.seconds", n=f"{seconds:.1f}")
