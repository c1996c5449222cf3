"""Sessions are found by what was last observed of them."""

import pytest
from django.http import QueryDict

from netbox_peering_manager.filtersets import PeeringSessionFilterSet
from netbox_peering_manager.forms import PeeringSessionFilterForm
from netbox_peering_manager.models import PeeringSession
from netbox_peering_manager.tables import PeeringSessionTable
from tests import shared
from tests.monitoring.observed import everything, hours_ago, make_sessions, observe
from tests.queries import queries_for_few_and_many

pytestmark = pytest.mark.django_db


def build():
    up, near, idle, flapping, never, gone, old, _unknown = make_sessions(
        "up", "near", "idle", "flapping", "never", "gone", "old", "unknown"
    )
    observe(up, ipv4_received=899, ipv4_limit=1000, flaps=2)
    observe(near, ipv4_received=10, ipv4_limit=1000, ipv6_received=90, ipv6_limit=100)
    observe(idle, "idle", since=1, last_established=hours_ago(30), ipv4_received=999, ipv4_limit=1000)
    # Half an hour in this state, but down for long.
    observe(flapping, "active", since=0.5, last_established=hours_ago(5))
    observe(never, "connect", since=50)
    observe(gone, "missing", since=3, last_established=hours_ago(3))
    observe(old, since=48, stale_since=hours_ago(2), stale_because="No answer")
    return up


made = shared.once(build)

FOUND = {
    "bgp_state=established": {"up", "near", "old"},
    "bgp_state=idle&bgp_state=missing": {"idle", "gone"},
    "bgp_state=unknown": {"unknown"},
    "bgp_state=unknown&bgp_state=active": {"unknown", "flapping"},
    "down=true": {"idle", "flapping", "never", "gone"},
    "down=false": {"up", "near", "old"},
    "down_longer_than_h=4": {"idle", "flapping", "never"},
    "down_longer_than_h=24": {"idle", "never"},
    "down_longer_than_h=49": {"never"},
    "down_longer_than_h=0": {"idle", "flapping", "never", "gone"},
    "never_up=true": {"never"},
    "never_up=false": {"up", "near", "idle", "flapping", "gone", "old"},
    "stale=true": {"old"},
    "stale=false": {"up", "near", "idle", "flapping", "never", "gone"},
    "near_max_prefix=true": {"near"},
    "near_max_prefix=false": {"up", "idle", "flapping", "never", "gone", "old"},
    "ipv4_received=899": {"up"},
    "ipv4_received__gte=899": {"up", "idle"},
    "ipv4_received__lt=100": {"near"},
    "ipv6_received__gt=89": {"near"},
    "flaps__gte=1": {"up"},
    "": {"up", "near", "idle", "flapping", "never", "gone", "old", "unknown"},
}


@pytest.mark.parametrize("query", FOUND)
def test_each_filter_finds_its_sessions(query):
    filterset = PeeringSessionFilterSet(QueryDict(query), PeeringSession.objects.all())
    assert filterset.is_valid(), filterset.errors
    assert set(filterset.qs.values_list("bgp_peer__name", flat=True)) == FOUND[query]


def test_how_near_is_near_is_a_setting(settings, monkeypatch):
    monkeypatch.setitem(settings.PLUGINS_CONFIG["netbox_peering_manager"], "near_max_prefix_percent", 89)
    found = PeeringSessionFilterSet(QueryDict("near_max_prefix=true"), PeeringSession.objects.all()).qs
    assert set(found.values_list("bgp_peer__name", flat=True)) == {"up", "near"}


def test_limits_as_large_as_a_column_holds_can_be_compared(made):
    most = 2**31 - 1
    observe(made, ipv4_received=most, ipv4_limit=most)
    found = PeeringSessionFilterSet(QueryDict("near_max_prefix=true"), PeeringSession.objects.all()).qs
    assert made in found


def test_limit_of_zero_is_none(made):
    observe(made, ipv4_received=0, ipv4_limit=0)
    found = PeeringSessionFilterSet(QueryDict("near_max_prefix=true"), PeeringSession.objects.all()).qs
    assert made not in found


@pytest.mark.parametrize("query", ["bgp_state=up", "down_longer_than_h=-1", "flaps=many"])
def test_what_is_no_filter_is_refused(query):
    assert not PeeringSessionFilterSet(QueryDict(query), PeeringSession.objects.all()).is_valid()


def test_form_offers_every_filter_and_its_values():
    form = PeeringSessionFilterForm(QueryDict("bgp_state=unknown&down_longer_than_h=4&stale=true"))
    assert form.is_valid(), form.errors
    assert form.cleaned_data["bgp_state"] == ["unknown"]
    assert (form.cleaned_data["down_longer_than_h"], form.cleaned_data["stale"]) == (4, True)
    offered = {item for fieldset in form.fieldsets for item in fieldset.items if isinstance(item, str)}
    assert {"bgp_state", "down", "never_up", "stale", "near_max_prefix", "ipv4_received"} <= offered


@pytest.mark.parametrize("name", ["bgp_state", "state_since", "last_established", "flaps", "ipv4_received"])
def test_every_column_can_be_ordered_by(name):
    assert len(PeeringSessionTable(everything(), order_by=f"-{name}").rows) == 8


def test_rows_of_a_table_ask_for_nothing_more():
    def show():
        for row in PeeringSessionTable(everything()).rows:
            row.get_cell("bgp_state"), row.get_cell("ipv4_received"), row.get_cell("polled")

    def make(numbers):
        names = [f"more {number}" for number in numbers]
        for session in make_sessions(*names, host=150 + numbers.start):
            observe(session)

    assert queries_for_few_and_many(show, make) >= 1
