"""What the lists of possible peers are filtered and sorted by: every filter, every column."""

from types import SimpleNamespace

import pytest
from django.http import QueryDict

from users.models import User

from netbox_peering_manager import forms
from netbox_peering_manager.filtersets import AvailablePortFilterSet, RankedNetworkFilterSet
from netbox_peering_manager.models import PeerASN, PeeringDBIX
from netbox_peering_manager.services.provisioning.candidates import available_ports
from netbox_peering_manager.services.provisioning.facilities import common_exchanges, common_facilities
from netbox_peering_manager.services.provisioning.ranking import ranked_networks
from netbox_peering_manager.tables import (
    AvailablePeerTable,
    AvailableSessionTable,
    CommonExchangeTable,
    CommonFacilityTable,
    PeerRankingTable,
)
from tests import factories, shared
from tests.peers import worlds

pytestmark = pytest.mark.django_db


@factories.look_ups_kept()
def build():
    """
    Two networks that differ in all that one can filter by: AS64496 on one exchange, AS64497 on two others.

    Twelve more, of which some are equal in everything, to be sorted; and AS64499, as AS64497 but without a session.
    """
    for lan, name in ((1, "Example IX"), (2, "Other IX")):
        worlds.make_ix(lan, name, rs_asn=64497 if lan == 2 else None)
        worlds.make_side(lan, name)
    factories.make_fabric("Third IX", peeringdb_id=3)
    small = worlds.make_net(
        64496,
        name="Aurora",
        aka="Dawn",
        policy_general="Open",
        info_traffic="1-5Gbps",
        info_scope="Europe",
        info_ratio="Balanced",
        info_types=["NSP"],
        info_prefixes4=10,
        info_prefixes6=1,
        irr_as_set="AS-AURORA",
    )
    worlds.make_port(small, "198.51.1.10", "2001:db8:1::10", speed=1000)
    for asn, name in ((64497, "Borealis"), (64499, "Borealis Two")):
        large(asn, name)
    factories.make_session(factories.make_bgp_peer("203.0.113.1/32", 64497))
    return SimpleNamespace(admin=User.objects.create_superuser("admin"))


def large(asn, name):
    net = worlds.make_net(
        asn,
        name=name,
        policy_general="No",
        info_traffic="100-200Gbps",
        info_scope="Global",
        info_ratio="Heavy Inbound",
        info_types=["Content"],
        info_prefixes4=100,
        info_prefixes6=50,
        irr_as_set="RIPE::AS-BOREALIS",
        info_never_via_route_servers=True,
    )
    worlds.make_port(net, f"198.51.2.{asn - 64400}", lan=2, speed=100000, is_rs_peer=True, bfd_support=True)
    worlds.make_port(net, f"198.51.3.{asn - 64400}", lan=3)
    worlds.make_port(net, None, None, lan=1)
    worlds.make_contact(net)
    factories.make_peer_asn(asn)


made = shared.once(build)
admin = shared.copy("admin")


def found_ports(admin, query):
    ports = available_ports(admin).exclude(asn=64499)
    return [port.asn for port in AvailablePortFilterSet(QueryDict(query), ports).qs]


def found_networks(admin, query):
    return [network.asn for network in RankedNetworkFilterSet(QueryDict(query), ranked_networks(admin)).qs]


# Each finds the large network and not the small one.
OF_NETWORKS = (
    "q=boreal",
    "q=as-borealis",
    "asn__gt=64496",
    "name__ic=REAL",
    "name__n=Aurora",
    "policy=No",
    "policy=No&policy=Selective",
    "policy__n=Open",
    "traffic=100-200Gbps",
    "traffic_from=20-50Gbps",
    "scope=Global",
    "ratio=Heavy+Inbound",
    "type=Content",
    "type=Content&type=Government",
    "prefixes4=100",
    "prefixes4__gte=50",
    "prefixes6__gt=1",
    "as_set__ic=borealis",
    "never_via_route_servers=true",
    "common_exchanges__gt=1",
    "common_exchanges__gte=2",
    "common_exchanges__n=1",
    "has_contact=true",
    "has_peer_asn=true",
    "fabric_id={fabric}",
)
OF_PORTS = (
    *OF_NETWORKS,
    "q=AS64497",
    "q=64497",
    "asn=64497",
    "name=Borealis",
    "on_route_server=true",
    "bfd=true",
    "speed__gte=10000",
    "is_route_server=true",
    "has_sessions=true",
    "missing_v6=0",
    "missing_v6__lt=1",
    "network_id={network}",
)


def filled(query):
    there = factories.make_fabric("Other IX")
    return query.format(fabric=there.pk, network=there.networks.get().pk)


@pytest.mark.parametrize("query", OF_PORTS)
def test_ports_are_filtered(admin, query):
    assert found_ports(admin, filled(query)) == [64497]


@pytest.mark.parametrize(
    "query",
    [
        "type=NSP", "has_contact=false", "has_peer_asn=false", "has_sessions=false", "bfd=false", "family=6",
        "q=dawn", "is_route_server=false", "missing_v6__gte=1", "speed=1000", "common_exchanges=1",
    ],
)  # fmt: skip
def test_ports_are_filtered_the_other_way_round(admin, query):
    assert found_ports(admin, query) == [64496]


def test_filters_that_leave_nothing_to_choose_find_all(admin):
    for query in ("", "q=+", "family=4&family=6", "missing_v4=1", "policy=", "traffic_from="):
        assert sorted(found_ports(admin, query)) == [64496, 64497], query


@pytest.mark.parametrize("query", [*OF_NETWORKS, "prefixes__gt=100", "ports__gte=1&asn=64499"])
def test_networks_are_filtered(admin, query):
    assert found_networks(admin, filled(query)) == [64499]


def test_every_field_of_the_filter_forms_is_a_filter():
    for form, filterset in (
        (forms.AvailablePortFilterForm, AvailablePortFilterSet),
        (forms.AvailableSessionFilterForm, AvailablePortFilterSet),
        (forms.RankedNetworkFilterForm, RankedNetworkFilterSet),
    ):
        assert set(form.base_fields) - {"filter_id"} <= set(filterset.base_filters)
        told = {name for fieldset in form.fieldsets for name in fieldset.items}
        assert told == set(form.base_fields)


def test_numbers_and_texts_offer_modifiers(admin):
    form = forms.AvailablePortFilterForm(QueryDict())
    for name in ("common_exchanges", "missing_v4", "prefixes4", "speed", "name", "as_set"):
        assert len(form.fields[name].widget.lookups) > 1, name


# Sorting


def rows_of(table, admin):
    peer = PeerASN.objects.get(asn__asn=64499)
    return {
        AvailablePeerTable: lambda: available_ports(admin),
        AvailableSessionTable: lambda: available_ports(admin, asn=64499),
        PeerRankingTable: lambda: ranked_networks(admin),
        CommonExchangeTable: lambda: common_exchanges(peer, admin),
        CommonFacilityTable: lambda: common_facilities(peer, admin),
    }[table]()


@pytest.mark.parametrize(
    "table", [AvailablePeerTable, PeerRankingTable, CommonExchangeTable, CommonFacilityTable]
)
def test_rows_are_sorted_by_every_column_in_an_order_that_pages_can_rely_on(admin, table):
    # Two that are equal in everything but their ids.
    for asn in (65536, 65537):
        net = worlds.make_net(asn, name="Twin")
        worlds.make_port(net, "198.51.1.77", "2001:db8:1::77")
    ours = factories.make_peer_asn(64500, affiliated=True)
    for name in ("A House", "B House"):
        place = worlds.make_fac(name, city="London")
        for net in (worlds.make_net(ours.asn.asn), worlds.PeeringDBNet.objects.get(asn=64499)):
            worlds.put_net_into(place, net)
    rows = rows_of(table, admin)
    columns = [name for name in table.base_columns if name not in ("pk", "actions")]
    assert len(columns) >= 7
    for column in columns:
        for sign in ("", "-"):
            ordered = table(rows, order_by=(f"{sign}{column}",))
            assert ordered.data.data.query.order_by[-1] == "pk", column
            assert {row.record.pk for row in ordered.rows} == {row.pk for row in rows}, column


def sorted_asns(admin, sort):
    rows = available_ports(admin).exclude(asn=64499)
    return [row.record.asn for row in AvailablePeerTable(rows, order_by=(sort,)).rows]


SMALL, LARGE, SILENT = 64496, 64497, 65536
# Upwards and downwards. Who says nothing comes last in both; equal ones are in the order of their ids in both.
GROWING = [SMALL, SILENT, LARGE], [LARGE, SILENT, SMALL]
SAID = [SMALL, LARGE, SILENT], [LARGE, SMALL, SILENT]
OF_THE_LARGE_ONE = [SMALL, SILENT, LARGE], [LARGE, SMALL, SILENT]


@pytest.mark.parametrize(
    ("column", "up", "down"),
    [
        ("asn", [SMALL, LARGE, SILENT], [SILENT, LARGE, SMALL]),
        ("name", [SMALL, LARGE, SILENT], [SILENT, LARGE, SMALL]),
        ("policy", *SAID),
        ("traffic", *SAID),
        ("scope", *SAID),
        ("ratio", *SAID),
        ("prefixes4", *SAID),
        ("prefixes6", *SAID),
        ("as_set", *SAID),
        ("city", [LARGE, SMALL, SILENT], [SMALL, SILENT, LARGE]),
        ("ipv4", *GROWING),
        ("speed", *GROWING),
        ("common_exchanges", *OF_THE_LARGE_ONE),
        ("session_count", *OF_THE_LARGE_ONE),
        ("on_route_server", *OF_THE_LARGE_ONE),
        ("never_via_route_servers", *OF_THE_LARGE_ONE),
        ("bfd", *OF_THE_LARGE_ONE),
        ("has_contact", *OF_THE_LARGE_ONE),
        ("operational", [SILENT, SMALL, LARGE], [SMALL, LARGE, SILENT]),
        ("missing_v6", [LARGE, SILENT, SMALL], [SMALL, LARGE, SILENT]),
        ("ipv6", [SMALL, LARGE, SILENT], [SMALL, LARGE, SILENT]),
    ],
)
def test_columns_sort_by_their_meaning_and_silence_comes_last(admin, column, up, down):
    worlds.make_port(worlds.make_net(SILENT, name="Silent"), "198.51.1.50", operational=False)
    PeeringDBIX.objects.filter(pk=1).update(city="Vaasa")
    PeeringDBIX.objects.filter(pk=2).update(city="Oulu")
    assert sorted_asns(admin, column) == up
    assert sorted_asns(admin, f"-{column}") == down


@pytest.mark.parametrize("filterset", [AvailablePortFilterSet, RankedNetworkFilterSet])
def test_fabric_that_one_may_not_view_is_no_filter(made, filterset):
    """Its networks' ports would tell who is there."""
    fabric = factories.make_fabric("Example IX")

    def takes(user):
        request = SimpleNamespace(user=user)
        query = QueryDict(f"fabric_id={fabric.pk}")
        found = filterset(query, filterset.Meta.model.objects.all(), request=request)
        return found.form.is_valid()

    assert takes(made.admin)
    assert not takes(User.objects.create_user("stranger"))
