"""What Prometheus is told, on NetBox's own endpoint."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from dcim.models import Device, Site
from tenancy.models import Tenant

from netbox_peering_manager.models import Deployment, PeeringDBSync, PeeringRouter, RouterState
from netbox_peering_manager.services.monitoring import metrics
from tests import factories
from tests.monitoring.observed import observe
from tests.monitoring.polled import make_router, make_session
from tests.queries import queries_for_few_and_many


def told():
    """Every sample: name without our prefix → labels → value."""
    registry = CollectorRegistry()
    registry.register(metrics.PeeringCollector())
    found = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            name = sample.name.removeprefix("netbox_peering_manager_")
            found.setdefault(name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def of(found, name, **labels):
    return found[name].get(tuple(sorted(labels.items())))


@pytest.mark.django_db
def test_sessions_by_state_fabric_and_relationship():
    network = factories.make_network()
    customer = factories.make_relationship("Customer")
    for number, (state, fields) in enumerate(
        [
            ("established", {"ipv4_received": 100, "ipv4_accepted": 90, "ipv6_advertised": 5}),
            ("established", {"ipv4_received": 11}),
            ("active", {}),
            # Its prefixes are those of long ago.
            ("established", {"ipv4_received": 1000, "stale_since": timezone.now()}),
            (None, {}),
        ]
    ):
        session = make_session(f"198.51.100.{11 + number}", network=network)
        if state:
            observe(session, state, **fields)
    observe(make_session("198.51.100.99", relationship=customer), "missing")
    found = told()
    here = {"fabric": "linx-lon1", "relationship": "peer"}
    for state, count in (("established", 2), ("active", 1), ("stale", 1), ("unknown", 1), ("missing", None)):
        assert of(found, "sessions", state=state, **here) == count
    assert of(found, "sessions", state="missing", fabric="", relationship="customer") == 1
    assert of(found, "prefixes", count="received", family="4", **here) == 111
    assert of(found, "prefixes", count="accepted", family="4", **here) == 90
    assert of(found, "prefixes", count="advertised", family="6", **here) == 5
    assert of(found, "prefixes", count="received", family="6", **here) is None


@pytest.mark.django_db
def test_deployments_by_status():
    router = make_router()
    for status in ("done", "done", "failed"):
        Deployment.objects.create(router=router, mode="merge", status=status)
    found = told()
    assert (of(found, "deployments", status="done"), of(found, "deployments", status="failed")) == (2, 1)
    assert of(found, "deployments", status="committing") == 0


@pytest.mark.django_db
def test_age_of_polls_and_syncs():
    now = timezone.now()
    answering, silent, never, unknown = (make_router(f"rt{number}.mtl") for number in range(4))
    RouterState.objects.create(router=answering, polled=now - timedelta(minutes=2))
    RouterState.objects.create(router=silent, polled=now - timedelta(days=1), failing_since=now)
    RouterState.objects.create(router=never, failing_since=now)
    RouterState.objects.create(router=unknown, poll_due=now)
    assert "peeringdb_sync_age_seconds" not in told()
    for status, hours in (("completed", 3), ("completed", 5), ("failed", 1)):
        PeeringDBSync.objects.create(mode="incremental", status=status, ended=now - timedelta(hours=hours))
    # Of one type alone.
    PeeringDBSync.objects.create(mode="incremental", status="completed", ended=now, tags=["net"])
    found = told()
    where = {"site": answering.device.site.slug, "tenant": ""}
    assert of(found, "router_poll_age_seconds", router="rt0.mtl", **where) == pytest.approx(120, abs=10)
    where["site"] = silent.device.site.slug
    assert of(found, "router_poll_age_seconds", router="rt1.mtl", **where) == pytest.approx(86400, abs=10)
    aged = {dict(labels)["router"] for labels in found["router_poll_age_seconds"]}
    assert aged == {"rt0.mtl", "rt1.mtl"}
    failing = {dict(labels)["router"]: value for labels, value in found["router_failing"].items()}
    assert failing == {"rt0.mtl": 0, "rt1.mtl": 1, "rt2.mtl": 1}
    assert of(found, "peeringdb_sync_age_seconds") == pytest.approx(3 * 3600, abs=10)


@pytest.mark.django_db
def test_routers_of_one_name_are_told_apart():
    router = make_router()
    device = router.device
    tenant = Tenant.objects.create(name="Acme", slug="acme")
    site = Site.objects.create(name="Elsewhere", slug="elsewhere")
    here = device.site.slug
    for other in ({"site": site}, {"site": device.site, "tenant": tenant}):
        twin = Device.objects.create(
            name=device.name, device_type=device.device_type, role=device.role, **other
        )
        RouterState.objects.create(
            router=PeeringRouter.objects.create(device=twin), failing_since=timezone.now()
        )
    RouterState.objects.create(router=router, polled=timezone.now())
    failing = {
        (dict(labels)["site"], dict(labels)["tenant"]): value
        for labels, value in told()["router_failing"].items()
    }
    assert failing == {(here, ""): 0, ("elsewhere", ""): 1, (here, "acme"): 1}


@pytest.mark.django_db
def test_queries_do_not_grow_with_the_rows():
    def make(numbers):
        for number in numbers:
            relationship = factories.make_relationship(f"Kind {number}")
            observe(make_session(f"198.51.100.{11 + number}", relationship=relationship))
            router = make_router(f"rt{number}.ams")
            RouterState.objects.create(router=router, polled=timezone.now())
            Deployment.objects.create(router=router, mode="merge")

    assert queries_for_few_and_many(told, make) == 4


def test_registering_asks_the_database_nothing():
    # Without access to it, which pytest would refuse.
    CollectorRegistry(auto_describe=True).register(metrics.PeeringCollector())


SCRAPE = """
import django
django.setup()
from django.test import Client
answer = Client(SERVER_NAME="localhost").get("/metrics")
print(answer.status_code)
print(answer.content.decode())
"""


@pytest.mark.django_db
@pytest.mark.parametrize("processes", ["one", "several"])
def test_netbox_with_metrics_has_them_on_its_endpoint(processes, tmp_path):
    environment = {
        **os.environ,
        "NETBOX_CONFIGURATION": "tests.monitoring.metrics_configuration",
        # This test's own database, as it is committed: without a row.
        "NPM_DATABASE": connection.settings_dict["NAME"],
        **({"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)} if processes == "several" else {}),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRAPE], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    status, _newline, text = done.stdout.partition("\n")
    assert status == "200"
    assert 'netbox_peering_manager_deployments{status="done"} 0.0' in text
    # Beside NetBox's own.
    assert "django_http_requests_before_middlewares_total" in text
