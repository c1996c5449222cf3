"""Filters of peer ASNs."""

from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.test import RequestFactory, TestCase

from ipam.models import ASN, RIR
from tenancy.models import Contact, ContactAssignment, ContactRole, Tenant, TenantGroup
from users.models import User
from utilities.testing import ChangeLoggedFilterSetTestMixin

from netbox_peering_manager.filtersets import PeerASNFilterSet
from netbox_peering_manager.models import PeerASN
from tests import factories
from tests.base import PluginFilterSetMixin


class PeerASNFilterSetTestCase(PluginFilterSetMixin, ChangeLoggedFilterSetTestMixin, TestCase):
    queryset = PeerASN.objects.all()
    filterset = PeerASNFilterSet

    @classmethod
    def setUpTestData(cls):
        rir = RIR.objects.create(name="RIPE NCC", slug="ripe")
        group = TenantGroup.objects.create(name="Group", slug="group")
        cls.tenant = Tenant.objects.create(name="Tenant", slug="tenant", group=group)
        ASN.objects.create(asn=64496, rir=rir, tenant=cls.tenant)
        cls.one = factories.make_peer_asn(
            64496,
            name="One Ltd",
            affiliated=True,
            irr_as_set="RIPE::AS-ONE",
            ipv4_max_prefixes=10,
            ipv6_max_prefixes=1,
            peeringdb_id=1,
            follow_peeringdb=["name"],
            description="First",
        )
        cls.two = factories.make_peer_asn(
            64497,
            name="Two GmbH",
            irr_as_set="AS-TWO",
            ipv4_max_prefixes=20,
            ipv6_max_prefixes=2,
            peeringdb_id=2,
            follow_peeringdb=["irr_as_set", "name"],
            description="Second",
        )
        cls.large = factories.make_peer_asn(
            4200000001, name="Three", ipv4_max_prefixes=30, follow_peeringdb=[], description="Third"
        )
        factories.make_session(factories.make_bgp_peer(asn=64497))

    def found(self, request=None, **params):
        data = QueryDict(mutable=True)
        for name, value in params.items():
            data.setlist(name, value if isinstance(value, list) else [value])
        return list(self.filterset(data, self.queryset, request=request).qs)

    def test_q_finds_by_number_name_as_set_and_description(self):
        for text in ("64496", "AS64496", "as64496", "one ltd", "as-one", "First"):
            with self.subTest(text=text):
                assert self.found(q=text) == [self.one]
        assert self.found(q="4200000001") == [self.large]
        assert self.found(q="99999999999999999999") == []
        assert len(self.found(q=" ")) == 3

    def test_asn(self):
        assert self.found(asn=["64496", "4200000001"]) == [self.one, self.large]
        assert self.found(asn__gt="64497") == [self.large]
        assert self.found(asn_id=[self.two.asn_id]) == [self.two]

    def test_affiliated(self):
        assert self.filterset({"affiliated": True}, self.queryset).qs.get() == self.one
        assert self.filterset({"affiliated": False}, self.queryset).qs.count() == 2

    def test_rir_and_tenant_are_those_of_the_asn(self):
        rir = RIR.objects.get(slug="ripe")
        for params in (
            {"rir_id": rir.pk},
            {"rir": "ripe"},
            {"tenant_id": self.tenant.pk},
            {"tenant": "tenant"},
            {"tenant_group_id": self.tenant.group.pk},
            {"tenant_group": "group"},
        ):
            with self.subTest(params=params):
                assert self.found(**params) == [self.one]

    def test_name_as_set_and_limits(self):
        assert self.found(name="Two GmbH") == [self.two]
        assert self.found(irr_as_set__ic="ripe") == [self.one]
        assert self.found(irr_as_set__empty="true") == [self.large]
        assert self.found(ipv4_max_prefixes__gte="20") == [self.two, self.large]
        assert self.found(ipv6_max_prefixes="2") == [self.two]
        assert self.found(peeringdb_id="1") == [self.one]
        assert self.found(description="Third") == [self.large]

    def test_follow_peeringdb(self):
        assert self.found(follow_peeringdb="name") == [self.one, self.two]
        assert self.found(follow_peeringdb=["irr_as_set"]) == [self.two]

    def test_contact(self):
        contact, role = Contact.objects.create(name="NOC"), ContactRole.objects.create(name="NOC", slug="noc")
        ContactAssignment.objects.create(object=self.two, contact=contact, role=role)
        assert self.found(contact=contact.pk) == [self.two]
        assert self.found(contact_role=role.pk) == [self.two]

    def test_has_sessions(self):
        assert self.filterset({"has_sessions": True}, self.queryset).qs.get() == self.two
        assert set(self.filterset({"has_sessions": False}, self.queryset).qs) == {self.one, self.large}

    def test_sessions_that_the_user_may_not_view_do_not_count_as_sessions(self):
        request = RequestFactory().get("/")
        for user in (AnonymousUser(), User.objects.create_user("nobody")):
            request.user = user
            assert not self.filterset({"has_sessions": True}, self.queryset, request=request).qs.exists()
