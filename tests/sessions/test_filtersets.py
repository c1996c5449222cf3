"""Filters of relationship types and peering sessions."""

from django.http import QueryDict
from django.test import TestCase

from ipam.models import ASN, VRF
from netbox_routing.models import BGPPeerTemplate, BGPSessionTemplate, RouteMap
from utilities.testing import ChangeLoggedFilterSetTestMixin

from netbox_peering_manager.filtersets import PeeringSessionFilterSet, RelationshipFilterSet
from netbox_peering_manager.models import PeeringConnection, PeeringNetwork, PeeringSession, Relationship
from netbox_peering_manager.services import secrets
from tests import factories
from tests.base import PluginFilterSetMixin


class RelationshipFilterSetTests(PluginFilterSetMixin, ChangeLoggedFilterSetTestMixin, TestCase):
    queryset = Relationship.objects.all()
    filterset = RelationshipFilterSet

    @classmethod
    def setUpTestData(cls):
        cls.map_in, cls.map_out = (RouteMap.objects.create(name=name) for name in ("IN", "OUT"))
        factories.make_relationship("Transit", color="ff0000", bgp_role="customer", description="Up")
        factories.make_relationship("Peer", routemap_in=cls.map_in, remove_from_router=True)
        factories.make_relationship("Customer", routemap_out=cls.map_out, bgp_role="provider")

    def found(self, query):
        return sorted(self.filterset(QueryDict(query), self.queryset).qs.values_list("name", flat=True))

    def test_each_filter(self):
        for query, expected in {
            "q=tran": ["Transit"],
            "name=Peer": ["Peer"],
            "slug=peer&slug=customer": ["Customer", "Peer"],
            "color=ff0000": ["Transit"],
            "bgp_role=customer": ["Transit"],
            "bgp_role=customer&bgp_role=provider": ["Customer", "Transit"],
            f"routemap_in_id={self.map_in.pk}": ["Peer"],
            f"routemap_out_id={self.map_out.pk}": ["Customer"],
            "remove_from_router=true": ["Peer"],
            "description=Up": ["Transit"],
            "name__ic=e": ["Customer", "Peer"],
        }.items():
            with self.subTest(query):
                assert self.found(query) == expected


class PeeringSessionFilterSetTests(PluginFilterSetMixin, ChangeLoggedFilterSetTestMixin, TestCase):
    queryset = PeeringSession.objects.all()
    filterset = PeeringSessionFilterSet
    # Its content is nobody's to search; has_password tells whether there is any.
    # What was observed is filtered by its values, and never by its id.
    ignore_fields = ("encrypted_password", "configuration", "state")

    @classmethod
    def setUpTestData(cls):
        cls.lan = factories.make_connection(bgp_scope=factories.make_scope())
        cls.scope = cls.lan.bgp_scope
        cls.vrf = VRF.objects.create(name="Customers", rd="64500:1")
        cls.peer, cls.transit = factories.make_relationship("Peer"), factories.make_relationship("Transit")
        cls.group = BGPPeerTemplate.objects.create(
            name="G", remote_as=factories.make_asn(64510), enabled=False
        )
        cls.template = BGPSessionTemplate.objects.create(
            name="T", remote_as=factories.make_asn(64511), local_as=factories.make_asn(64501)
        )
        factories.make_peer_asn(64496, name="Example Net")
        cls.on_lan = factories.make_session(
            factories.make_bgp_peer(scope=cls.scope, source=cls.lan.ipv4_address, name="on lan"),
            cls.peer,
            cls.lan.peering_network,
            service_reference="NOC-1",
            is_route_server=True,
            ipv4_max_prefixes=100,
            description="first",
        )
        cls.in_vrf = factories.make_session(
            factories.make_bgp_peer(
                "2001:db8:77::1/128",
                64497,
                factories.make_scope(factories.make_device("rt2.mtl"), cls.vrf),
                vrf=cls.vrf,
                enabled=False,
                status="planned",
                password="clear",
                name="in vrf",
            ),
            cls.transit,
            ipv6_max_prefixes=7,
        )
        cls.inherited = factories.make_session(
            factories.make_bgp_peer(
                "203.0.113.9/32", scope=cls.scope, peer_group=cls.group, status="offline", name="grouped"
            ),
            cls.transit,
        )
        cls.templated = factories.make_session(
            factories.make_bgp_peer(
                "203.0.113.10/32", scope=cls.scope, peer_session=cls.template, local_as=None, name="templated"
            ),
            cls.transit,
        )
        type(cls.inherited.bgp_peer).objects.filter(pk=cls.inherited.bgp_peer_id).update(
            remote_as=None, enabled=None
        )
        type(cls.inherited.bgp_peer).objects.filter(pk=cls.templated.bgp_peer_id).update(
            remote_as=None, enabled=None
        )
        secrets.set_password(cls.on_lan, "s3cret")
        cls.on_lan.save()

    def found(self, query):
        filterset = self.filterset(QueryDict(query), self.queryset)
        assert filterset.is_valid(), filterset.errors
        return sorted(filterset.qs.values_list("bgp_peer__name", flat=True))

    def id_of(self, number):
        return ASN.objects.get(asn=number).pk

    def test_each_filter(self):
        network = PeeringNetwork.objects.get()
        everything = ["grouped", "in vrf", "on lan", "templated"]
        for query, expected in {
            f"bgp_peer_id={self.on_lan.bgp_peer_id}": ["on lan"],
            f"relationship_id={self.peer.pk}": ["on lan"],
            "relationship=peer": ["on lan"],
            "relationship=peer&relationship=transit": everything,
            f"peering_network_id={network.pk}": ["on lan"],
            f"fabric_id={network.fabric_id}": ["on lan"],
            "fabric=linx-lon1": ["on lan"],
            f"connection_id={self.lan.pk}": ["on lan"],
            f"device_id={self.in_vrf.device.pk}": ["in vrf"],
            "device=rt1.mtl": ["grouped", "on lan", "templated"],
            f"vrf_id={self.vrf.pk}": ["in vrf"],
            "vrf_id=null": ["grouped", "on lan", "templated"],
            "vrf=64500:1": ["in vrf"],
            "remote_asn=64496": ["on lan"],
            "remote_asn=64496&remote_asn=64497": ["in vrf", "on lan"],
            "remote_asn=64510": ["grouped"],
            "remote_asn=64511": ["templated"],
            "remote_asn=99999999999999999999": [],
            f"remote_as_id={self.id_of(64496)}": ["on lan"],
            f"remote_as_id={self.id_of(64510)}": ["grouped"],
            "local_asn=64501": ["templated"],
            "local_asn=64500": ["grouped", "in vrf", "on lan"],
            f"local_as_id={self.id_of(64501)}": ["templated"],
            f"peer_group_id={self.group.pk}": ["grouped"],
            "status=planned": ["in vrf"],
            "status=planned&status=offline": ["grouped", "in vrf"],
            "enabled=true": ["on lan", "templated"],
            "enabled=false": ["grouped", "in vrf"],
            "family=4": ["grouped", "on lan", "templated"],
            "family=6": ["in vrf"],
            "family=4&family=6": everything,
            "address=198.51.100.42": ["on lan"],
            "address=203.0.113.0/24": ["grouped", "templated"],
            "address=2001:db8::/32&address=198.51.100.42": ["in vrf", "on lan"],
            "address=nonsense": [],
            "has_password=true": ["on lan"],
            "has_password=false": ["grouped", "in vrf", "templated"],
            "has_clear_password=true": ["in vrf"],
            "has_clear_password=false": ["grouped", "on lan", "templated"],
            "is_route_server=true": ["on lan"],
            "service_reference=NOC-1": ["on lan"],
            "service_reference__ic=noc": ["on lan"],
            "service_reference__empty=true": ["grouped", "in vrf", "templated"],
            "ipv4_max_prefixes=100": ["on lan"],
            "ipv4_max_prefixes__gte=100": ["on lan"],
            "ipv6_max_prefixes__lt=8": ["in vrf"],
            "password_changed__empty=false": ["on lan"],
            "description=first": ["on lan"],
            "relationship__n=peer": ["grouped", "in vrf", "templated"],
            "remote_asn=64496&status=planned": [],
        }.items():
            with self.subTest(query):
                assert self.found(query) == expected

    def test_search_finds_what_people_know_a_session_by(self):
        for words, expected in {
            "NOC-1": ["on lan"],
            "example net": ["on lan"],
            "64496": ["on lan"],
            "AS64497": ["in vrf"],
            "as64510": ["grouped"],
            "198.51.100.42": ["on lan"],
            "203.0.113.0/24": ["grouped", "templated"],
            "LINX": ["on lan"],
            "templ": ["templated"],
            "%27%22;--": [],
            "AS99999999999999999999": [],
        }.items():
            with self.subTest(words):
                assert self.found(f"q={words}") == expected

    def test_connection_is_found_by_device_and_lan_without_a_source(self):
        type(self.on_lan.bgp_peer).objects.filter(pk=self.on_lan.bgp_peer_id).update(source=None)
        assert self.found(f"connection_id={PeeringConnection.objects.get().pk}") == ["on lan"]

    def test_unknown_ids_are_refused(self):
        for name in (
            "relationship_id",
            "fabric_id",
            "connection_id",
            "device_id",
            "remote_as_id",
            "peer_group_id",
        ):
            with self.subTest(name):
                filterset = self.filterset(QueryDict(f"{name}=99999"), self.queryset)
                assert not filterset.is_valid()
                assert name in filterset.errors
