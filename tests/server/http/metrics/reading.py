"""How tests read what Prometheus would read."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

Labels = dict[str, str]


def scraped(client: httpx.Client) -> dict[str, list[tuple[Labels, float]]]:
    """All samples, by name."""
    found: dict[str, list[tuple[Labels, float]]] = {}
    response = client.get("/metrics").raise_for_status()
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def value(client: httpx.Client, name: str, **labels: str) -> float:
    """The sum of the samples that have these labels."""
    return sum(number for own, number in scraped(client)[name] if labels.items() <= own.items())
