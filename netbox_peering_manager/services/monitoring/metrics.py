"""
What is watched, as numbers on NetBox's own endpoint for Prometheus (/metrics, with METRICS_ENABLED).

Counted when Prometheus asks, with a fixed number of queries. Whoever may read NetBox's metrics may read these: the
endpoint knows no users.
"""

import os
from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from prometheus_client import REGISTRY, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from ... import state_conditions as conditions
from ...choices import BGPStateChoices, DeploymentStatusChoices, PeeringDBSyncStatusChoices
from ...models import Deployment, PeeringDBSync, PeeringRouter, PeeringSession
from .load import COUNTERS

__all__ = ("PeeringCollector", "register")

PREFIX = "netbox_peering_manager"
# What tells a router from others of its name: NetBox has the name of a device once in each site for each tenant.
ROUTER = ("router", "site", "tenant")
MULTIPROCESS = ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir")


class PeeringCollector(Collector):
    """Sessions, prefixes, deployments, and how old the last polls and the last sync are."""

    def describe(self) -> list[Any]:
        """Nothing, so that registering it asks the database nothing."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every metric. Four queries."""
        yield from _sessions()
        yield _deployments()
        yield from _routers()
        yield from _sync()


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=labels)


def _sessions() -> Iterator[GaugeMetricFamily]:
    sessions = _gauge(
        "sessions", "Peering sessions by what the last poll saw", "state", "fabric", "relationship"
    )
    prefixes = _gauge(
        "prefixes", "Prefixes on Established sessions", "count", "family", "fabric", "relationship"
    )
    carried: dict[tuple[str, ...], int] = {}
    for row in _counted():
        fabric, relationship = row["fabric"], row["relationship__slug"]
        sessions.add_metric([row["shown"], fabric, relationship], row["sessions"])
        for counter in COUNTERS if row["shown"] == BGPStateChoices.ESTABLISHED else ():
            if row[f"sum_{counter}"] is not None:
                family, what = counter.removeprefix("ipv").split("_")
                carried[what, family, fabric, relationship] = row[f"sum_{counter}"]
    for labels, value in carried.items():
        prefixes.add_metric(labels, value)
    yield sessions
    yield prefixes


def _counted() -> Any:
    sums = {f"sum_{counter}": Sum(f"state__{counter}") for counter in COUNTERS}
    return (
        PeeringSession.objects.order_by()
        .annotate(shown=conditions.shown_state(), fabric=Coalesce("peering_network__fabric__slug", Value("")))
        .values("shown", "fabric", "relationship__slug")
        .annotate(sessions=Count("pk"), **sums)
    )


def _deployments() -> GaugeMetricFamily:
    found = Deployment.objects.order_by().values_list("status").annotate(count=Count("pk"))
    # Those that there are none of as well: an alert on a series that comes and goes is a bad one.
    counts = dict.fromkeys(DeploymentStatusChoices.values(), 0) | dict(found)
    metric = _gauge("deployments", "Deployments by status", "status")
    for status, count in counts.items():
        metric.add_metric([status], count)
    return metric


def _routers() -> Iterator[GaugeMetricFamily]:
    age = _gauge("router_poll_age_seconds", "Time since the router last answered a poll", *ROUTER)
    failing = _gauge("router_failing", "1 while the router does not answer polls, else 0", *ROUTER)
    now = timezone.now()
    routers = PeeringRouter.objects.with_device().select_related("state", "device__site", "device__tenant")
    for router in routers.filter(state__isnull=False):
        tenant = router.device.tenant
        labels = [str(router), router.device.site.slug, tenant.slug if tenant else ""]
        if router.state.polled:
            age.add_metric(labels, (now - router.state.polled).total_seconds())
        if router.state.polled or router.state.failing_since:
            failing.add_metric(labels, int(router.state.failing_since is not None))
    yield age
    yield failing


def _sync() -> Iterator[GaugeMetricFamily]:
    completed = PeeringDBSync.objects.filter(status=PeeringDBSyncStatusChoices.COMPLETED, tags=[])
    last = completed.order_by("-ended").values_list("ended", flat=True).first()
    metric = _gauge(
        "peeringdb_sync_age_seconds", "Time since the last whole sync with PeeringDB was completed"
    )
    if last is not None:
        metric.add_metric([], (timezone.now() - last).total_seconds())
    yield metric


class _MultiProcessCollector(multiprocess.MultiProcessCollector):
    """
    Prometheus' collector of several processes, with ours beside it.

    django_prometheus makes a registry with that collector alone for each request, and so ours has no other way in.
    """

    def __init__(self, registry: CollectorRegistry | None, path: str | None = None) -> None:
        super().__init__(registry, path)
        if registry is not None:
            registry.register(PeeringCollector())


def register() -> None:
    """Put the metrics on the endpoint. To be called once, when NetBox starts."""
    if any(name in os.environ for name in MULTIPROCESS):
        multiprocess.MultiProcessCollector = _MultiProcessCollector  # type: ignore[misc]
    else:
        REGISTRY.register(PeeringCollector())
