"""What only this area's tests need beside tests.factories."""

from ipam.models import VLAN, VRF
from netbox_routing.models import BGPPeerTemplate
from users.models import ObjectPermission, User
from utilities.permissions import resolve_permission_type

from netbox_peering_manager.models import PeeringConnection, PeeringNetwork, PeeringSession
from tests.factories import (
    look_ups_kept,
    make_bgp_peer,
    make_connection,
    make_device,
    make_fabric,
    make_interface,
    make_network,
    make_scope,
    make_session,
)


def make_peer_group(name: str) -> BGPPeerTemplate:
    return BGPPeerTemplate.objects.get_or_create(name=name)[0]


def make_vlan(vid: int, **fields) -> VLAN:
    return VLAN.objects.create(vid=vid, name=f"VLAN {vid}", **fields)


def make_vrf(name: str, rd: str | None = None) -> VRF:
    return VRF.objects.create(name=name, rd=rd, enforce_unique=False)


def grant(user: User, *permissions: str, **constraints) -> ObjectPermission:
    """Give `user` these permissions ("ipam.view_prefix"), on objects that fit `constraints`."""
    last = None
    for permission in permissions:
        object_type, action = resolve_permission_type(permission)
        last = ObjectPermission.objects.create(
            name=permission, actions=[action], constraints=constraints or None
        )
        last.users.add(user)
        last.object_types.add(object_type)
    return last


@look_ups_kept()
def populate(
    count: int, start: int = 0
) -> tuple[list[PeeringNetwork], list[PeeringConnection], list[PeeringSession]]:
    """Make fabrics numbered from `start` to below `count`, each with a LAN, a connection and a session."""
    networks, connections, sessions = [], [], []
    for number in range(start, count):
        fabric = make_fabric(
            f"IX {number}", peer_group=make_peer_group(f"Group {number}"), peeringdb_id=number + 1
        )
        network = make_network(
            "Main", fabric, f"198.51.{number}.0/24", f"2001:db8:{number}::/64", vlan=make_vlan(number + 1)
        )
        device = make_device(f"rt{number}")
        scope = make_scope(device)
        connection = make_connection(
            network,
            make_interface(device),
            f"198.51.{number}.1/24",
            f"2001:db8:{number}::1/64",
            ipv4_peer_group=make_peer_group(f"Port {number}"),
        )
        peer = make_bgp_peer(f"198.51.{number}.2/24", scope=scope, source=connection.ipv4_address)
        networks.append(network)
        connections.append(connection)
        sessions.append(make_session(peer, network=network))
    return networks, connections, sessions
