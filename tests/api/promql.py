"""What a PromQL expression asks for, and whether a scrape has it: its names, its labels, and how they are put together.

It reads expressions as the dashboard has them; it computes nothing.
"""

import re
from dataclasses import dataclass
from typing import Any

import promql_parser as promql
from prometheus_client.metrics_core import Metric

SCRAPED = {"job", "instance"}  # labels that Prometheus itself gives to every sample
VARIABLES = {"$__rate_interval": "5m", "$job": "brightroom"}
OF_COUNTERS = ("rate", "increase", "irate")
KEEPING = ("topk", "bottomk")


class Unfit(Exception):
    """An expression that a scrape has no answer to; the text says why."""


@dataclass(frozen=True)
class Scrape:
    """The samples of an exposition by name, each with its labels, and whether they only grow."""

    labels: dict[str, list[dict[str, str]]]
    growing: set[str]

    def labels_of(self, expr: str) -> set[str]:
        """The labels of an expression's result; raises Unfit when a part of it finds nothing or does not fit."""
        for variable, value in VARIABLES.items():
            expr = expr.replace(variable, value)
        return self.labelled(promql.parse(expr), growing=False)

    def labelled(self, node: Any, growing: bool) -> set[str]:
        """The labels of a part's result; `growing`: whether it is a rate that is taken of it."""
        match node:
            case promql.VectorSelector():
                return self.selected(node, growing)
            case promql.MatrixSelector():
                return self.selected(node.vector_selector, growing)
            case promql.ParenExpr():
                return self.labelled(node.expr, growing)
            case promql.Call():
                return self.called(node)
            case promql.AggregateExpr():
                return self.aggregated(node)
            case promql.BinaryExpr():
                return self.combined(node)
        return set()  # a number

    def selected(self, node: Any, growing: bool) -> set[str]:
        """The labels that the samples have that a selector finds; raises Unfit when it finds none."""
        found = [
            sample for sample in self.labels.get(node.name, []) if all(fits(m, sample) for m in node.matchers.matchers)
        ]
        if not found:
            raise Unfit(f"no sample of {node.name} in {self.labels.get(node.name)} fits {node.matchers}")
        if (node.name in self.growing) != growing:
            raise Unfit(f"{node.name}: of what only grows, and of nothing else, a rate is taken")
        return set().union(*found) | SCRAPED

    def called(self, node: Any) -> set[str]:
        """The labels of a function's result; a quantile needs buckets and takes their label away."""
        labels = set().union(*[self.labelled(arg, node.func.name in OF_COUNTERS) for arg in node.args])
        if node.func.name == "histogram_quantile":
            if "le" not in labels:
                raise Unfit(f"a quantile of what has no buckets: {sorted(labels)}")
            labels.remove("le")
        return labels

    def aggregated(self, node: Any) -> set[str]:
        """The labels that an aggregation leaves, which must be among those there are."""
        there = self.labelled(node.expr, growing=False)
        left = set(node.modifier.labels) if node.modifier else there if str(node.op) in KEEPING else set()
        if left - there:
            raise Unfit(f"there is no label {sorted(left - there)} among {sorted(there)}")
        return left

    def combined(self, node: Any) -> set[str]:
        """The labels of two results together; two that have not the same labels find nothing in each other."""
        if node.modifier and node.modifier.matching:
            raise Unfit("expressions that match by some labels are not understood here")
        sides = [self.labelled(side, growing=False) for side in (node.lhs, node.rhs)]
        numbers = [isinstance(side, promql.NumberLiteral) for side in (node.lhs, node.rhs)]
        if str(node.op) != "or" and not any(numbers) and sides[0] != sides[1]:
            raise Unfit(f"{sorted(sides[0])} and {sorted(sides[1])} find nothing in each other")
        return sides[1] if numbers[0] else sides[0]


def out_of_nothing(expr: str) -> bool:
    """Whether an expression has a result where no sample is there at all: a number that nobody measured."""
    for variable, value in VARIABLES.items():
        expr = expr.replace(variable, value)
    return invented(promql.parse(expr))


def invented(node: Any) -> bool:
    """Whether a part has a result without any sample."""
    match node:
        case promql.VectorSelector() | promql.MatrixSelector():
            return False
        case promql.ParenExpr() | promql.AggregateExpr():
            return invented(node.expr)
        case promql.Call():
            return all(invented(arg) for arg in node.args)
        case promql.BinaryExpr():
            sides = [invented(side) for side in (node.lhs, node.rhs)]
            return any(sides) if str(node.op) == "or" else all(sides)
    return True  # a number


def fits(matcher: Any, labels: dict[str, str]) -> bool:
    """Whether a sample has a label as a matcher wants it; what Prometheus gives is as it is."""
    if matcher.name in SCRAPED:
        return True
    value = labels.get(matcher.name, "")
    match matcher.op:
        case promql.MatchOp.Equal:
            return value == matcher.value
        case promql.MatchOp.NotEqual:
            return value != matcher.value
        case promql.MatchOp.Re:
            return re.fullmatch(matcher.value, value) is not None
    return re.fullmatch(matcher.value, value) is None


def scrape_of(families: dict[str, Metric]) -> Scrape:
    """The samples of parsed families."""
    labels: dict[str, list[dict[str, str]]] = {}
    growing = set()
    for family in families.values():
        for sample in family.samples:
            labels.setdefault(sample.name, []).append(sample.labels)
            if family.type in ("counter", "histogram"):
                growing.add(sample.name)
    return Scrape(labels, growing)
