"""The cluster as its page tells of now: texts and numbers by name, the same at the first look and at later ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.pages.words import WORDS, number, size


def of_cluster(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """What the page tells of a cluster."""
    total, used, store = cluster["resources_total"], cluster["resources_used"], cluster["object_store"]
    cells = {
        "cpus": of(count(used.get("CPU", 0)), count(total.get("CPU", 0))),
        "gpus": of(count(used.get("GPU", 0)), count(total["GPU"])) if total.get("GPU") else WORDS("admin.no_gpu"),
        "memory": of(size(used.get("memory", 0)), size(total.get("memory", 0))),
        "store": of(size(store["used"]), size(store["total"])),
    }
    for place, node in enumerate(cluster["nodes"]):
        cells |= {f"{place}.{name}": value for name, value in of_node(node).items()}
    return cells


def shape_of(cluster: Mapping[str, Any]) -> str:
    """What must be the same for the cells to have their places: which nodes answer, with how many GPUs; which jobs."""
    nodes = [f"{node['node_id']}:{node['answers']}:{len(node['gpus'])}" for node in cluster["nodes"]]
    return " ".join([*nodes, *(job["job_id"] for job in cluster["jobs"])])


def of_node(node: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of one node."""
    if not node["answers"]:
        return {}
    memory, disk, gpus = node["memory"], node["disk"], node["gpus"]
    cells = {
        "cpu": percent(node["cpu"]["utilization"]), "cpu_share": node["cpu"]["utilization"],
        "ram": of(size(memory["used"]), size(memory["total"])), "ram_share": memory["used"] / (memory["total"] or 1),
        "disk": disk_told(disk), "disk_share": disk["used"] / (disk["total"] or 1) if disk else 0,
        "gpu": gpus_told(gpus),
    }  # fmt: skip
    for gpu in gpus:
        cells |= {f"g{gpu['index']}.{name}": value for name, value in of_gpu(gpu).items()}
    return cells


def of_gpu(gpu: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of one GPU."""
    heat = gpu["temperature"]
    return {
        "use": percent(gpu["utilization"]), "use_share": gpu["utilization"] or 0,
        "memory": of(size(gpu["memory_used"]), size(gpu["memory_total"])),
        "memory_share": gpu["memory_used"] / (gpu["memory_total"] or 1),
        "temperature": WORDS("admin.not_told") if heat is None else WORDS("admin.celsius", n=heat),
        "processes": ", ".join(process(one) for one in gpu["processes"]) or WORDS("admin.none"),
    }  # fmt: skip


def process(one: Mapping[str, Any]) -> str:
    """Whose process on a GPU it is, and what it holds."""
    held = WORDS("admin.not_told") if one["memory"] is None else size(one["memory"])
    return WORDS("admin.process_of", who=one["service"] or WORDS("admin.process_other"), size=held)


def gpus_told(gpus: Sequence[Mapping[str, Any]]) -> str:
    """How many GPUs there are, and how busy they are together."""
    known = [gpu["utilization"] for gpu in gpus if gpu["utilization"] is not None]
    told = WORDS("admin.gpus_line", n=len(gpus)) if gpus else WORDS("admin.no_gpu_here")
    return f"{told}, {percent(sum(known) / len(known))}" if known else told


def disk_told(disk: Mapping[str, Any] | None) -> str:
    """How full a disk is."""
    if disk is None:
        return WORDS("admin.none")
    free = size(disk["free"])
    return WORDS("admin.used_of_free", used=size(disk["used"]), total=size(disk["total"]), free=free)


def count(value: float) -> str:
    """A number of processors, shares of one too."""
    return number(int(value)) if value == int(value) else f"{value:,.2f}"


def of(used: str, total: str) -> str:
    """A part of a whole, in words."""
    return WORDS("admin.used_of", used=used, total=total)


def percent(value: float | None) -> str:
    """A share from 0 to 1 as percent."""
    return WORDS("admin.not_told") if value is None else WORDS("admin.percent", n=f"{100 * value:.0f}")
