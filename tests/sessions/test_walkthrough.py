"""The walkthrough "Your first peering session", steps 3 and 4, as one types it into a shell."""

import pytest

from tests import factories

pytestmark = pytest.mark.django_db

STEP_3 = """
from ipam.models import ASN, IPAddress
from netbox_routing.models import BGPPeer, BGPRouter, BGPScope

router = BGPRouter.objects.get(name="rt1.mtl")
scope = BGPScope.objects.get(router=router, vrf=None)  # global

peer = BGPPeer.objects.create(
    scope=scope,
    peer=IPAddress.objects.get(address="198.51.100.42/24"),
    source=IPAddress.objects.get(address="198.51.100.1/24"),
    local_as=ASN.objects.get(asn=64500),
    remote_as=ASN.objects.get(asn=64512),
    name="AS64512 - Example Peer (LINX)",
    enabled=True,
)
"""

STEP_4 = """
from netbox_peering_manager.models import (
    PeeringNetwork, PeeringSession, Relationship,
)

network = PeeringNetwork.objects.get(fabric__name="LINX LON1", name__startswith="LINX")
relation = Relationship.objects.get(slug="peer")

PeeringSession.objects.create(
    bgp_peer=peer,
    relationship=relation,
    peering_network=network,
    service_reference="NOC-12345",
)
"""


def test_shell_code_of_the_walkthrough_makes_the_session():
    connection = factories.make_connection(bgp_scope=factories.make_scope(factories.make_device("rt1.mtl")))
    factories.make_address("198.51.100.42/24")
    factories.make_asn(64512)
    factories.make_relationship("Peer")
    shell = {}
    exec(STEP_3, shell)  # noqa: S102
    exec(STEP_4, shell)  # noqa: S102

    from netbox_peering_manager.models import PeeringSession

    session = PeeringSession.objects.with_connection().get()
    session.full_clean()
    assert session.connection_id == connection.pk
    assert session.service_reference == "NOC-12345"
    assert str(session) == "AS64512 - Example Peer (LINX) (198.51.100.42)"
