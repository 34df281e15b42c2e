"""Figures in Prometheus' words: families of samples, made of plain numbers. Which there are is `figures.py`'s."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

Labels: TypeAlias = Sequence[str]
Sample: TypeAlias = tuple[Labels, float]


def gauge(name: str, sentence: str, labels: Labels, samples: Iterable[Sample]) -> Metric:
    """What goes up and down; each sample has the values of the labels and a number."""
    family = GaugeMetricFamily(name, sentence, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def counter(name: str, sentence: str, labels: Labels, samples: Iterable[Sample]) -> Metric:
    """What only grows; the name without `_total`."""
    family = CounterMetricFamily(name, sentence, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def histogram(
    name: str,
    sentence: str,
    labels: Labels,
    edges: Sequence[float],
    samples: Iterable[tuple[Labels, Sequence[int], float]],
) -> Metric:
    """Measurements by size: how many lay in each bucket, the last one without an upper edge, and the sum of all."""
    family = HistogramMetricFamily(name, sentence, labels=labels)
    named = [*[str(float(edge)) for edge in edges], "+Inf"]
    for values, counts, total in samples:
        family.add_metric(values, list(zip(named, accumulate(counts), strict=True)), total)
    return family
