"""A router in NetBox with a LAN, and what is found on it, for the tests of this area."""

import django_rq

from netbox_peering_manager.models import PeeringRouter
from netbox_peering_manager.services.takeover import kept
from netbox_peering_manager.services.takeover.found import (
    Found,
    FoundAddress,
    FoundFamily,
    FoundGroup,
    FoundNeighbor,
    FoundRouteMap,
)
from netbox_peering_manager.services.takeover.plan import plan_import
from netbox_peering_manager.services.takeover.planned import Choices
from tests import factories

SECRET = "marker-of-a-session"
IN, OUT = "PEERS-IN", "PEERS-OUT"
# Its entries do something, which is not read.
UNREAD = "PEERS-COMMUNITIES"


def make_router(*, with_bgp=True, with_connection=True):
    """A peering router with our AS, an interface with addresses, a LAN and our connection on it."""
    device = factories.make_device("edge1.lon1")
    if with_bgp:
        factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
        factories.make_scope(device)
    network = factories.make_network()
    interface = factories.make_interface(device)
    if with_connection:
        factories.make_connection(network, interface)
    else:
        factories.make_address("198.51.100.1/24", interface)
        factories.make_address("2001:db8:100::1/64", interface)
    return PeeringRouter.objects.create(device=device)


def neighbor(host=42, asn=64496, **fields):
    """A neighbour on the LAN, configured with nothing but its AS."""
    values = {
        "vrf": "",
        "remote_ip": f"198.51.100.{host}",
        "remote_asn": asn,
        "local_asn": factories.LOCAL_ASN,
        "local_ip": "198.51.100.1",
        "families": (FoundFamily("ipv4-unicast"),),
        **fields,
    }
    return FoundNeighbor(**values)


def full_neighbor(host=42, asn=64496, **fields):
    """One with everything that can be taken over."""
    values = {
        "description": "Aurora",
        "peer_group": "MEMBERS",
        "families": (FoundFamily("ipv4-unicast", IN, "", 100),),
        "bfd": True,
        "bfd_profile": "fast",
        "ttl": 255,
        "password": SECRET,
        "has_password": True,
        **fields,
    }
    return neighbor(host, asn, **values)


def found(*neighbors, **fields):
    """What a router has: these neighbours, in a group that gives them a policy."""
    values = {
        "local_asn": factories.LOCAL_ASN,
        "neighbors": neighbors,
        "groups": (FoundGroup("MEMBERS", families=(FoundFamily("ipv4-unicast", "", OUT),)),),
        "route_maps": (
            FoundRouteMap(IN, ((10, "permit"),), True),
            FoundRouteMap(OUT, ((10, "permit"),), True),
            FoundRouteMap(UNREAD, ((10, "permit"),)),
        ),
        "addresses": (FoundAddress("Ethernet1", "198.51.100.1", 24),),
        **fields,
    }
    return Found(**values)


def chosen(**fields):
    return Choices(lan=factories.make_relationship("Peer").pk, **fields)


def forget(job):
    """What it read is no longer kept, as after an hour."""
    django_rq.get_connection("default").delete(f"{kept.PREFIX}{job.job_id}")


def planned(router, *neighbors, user=None, **choices):
    return plan_import(router, found(*neighbors), chosen(**choices), user)
