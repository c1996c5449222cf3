"""
A network in which every kind of thing that the template context can show occurs, and a way to make many sessions.

Two routers at one exchange; rt1 has sessions of all kinds: with everything of their own, with everything inherited,
link-local, in a VRF, over a private link, towards a 32-bit AS, with a password of each origin.
"""

from types import SimpleNamespace

from django.contrib.auth import get_user_model

from core.models import ObjectType
from dcim.models import MACAddress, Platform
from extras.models import ConfigContext, ConfigTemplate, Tag
from ipam.models import VRF, Prefix
from netbox_routing.models import (
    ASPath,
    ASPathEntry,
    BFDProfile,
    BGPAddressFamily,
    BGPPeerAddressFamily,
    BGPPeerTemplate,
    BGPPolicyTemplate,
    BGPSessionTemplate,
    BGPSetting,
    Community,
    CommunityList,
    CommunityListEntry,
    CustomPrefix,
    PrefixList,
    PrefixListEntry,
    RouteMap,
    RouteMapEntry,
)
from users.models import ObjectPermission

from netbox_peering_manager.models import PeeringRouter, PeeringSession, RemovedSession
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.rendering.peering import gather
from tests import factories

OWN_PASSWORD, CLEAR_PASSWORD, TEMPLATE_PASSWORD = "own-s3cret", "clear-s3cret", "template-s3cret"
PASSWORDS = (OWN_PASSWORD, CLEAR_PASSWORD, TEMPLATE_PASSWORD)
HOSTILE = 'Zoë\'s "net"\n router bgp 1 {{ 7*7 }} 🐟'


@factories.look_ups_kept()
def build():
    """Make the network. Returns its objects by name."""
    s = SimpleNamespace()
    s.device = factories.make_device()
    s.device.platform = Platform.objects.create(name="FRR", slug="frr")
    s.device.custom_field_data = {"rack_unit": 7}
    s.device.save()
    s.tag = Tag.objects.create(name="Blue", slug="blue")
    s.device.tags.add(s.tag)
    ConfigContext.objects.create(name="ntp", data={"ntp": ["192.0.2.123"]})
    s.network = factories.make_network(mtu=9000)
    s.connection = factories.make_connection(s.network)
    s.interface = s.connection.interface
    s.interface.tags.add(s.tag)
    s.interface.primary_mac_address = MACAddress.objects.create(
        mac_address="02:00:00:00:00:01", assigned_object=s.interface
    )
    s.interface.custom_field_data = {"cross_connect": "XC-1"}
    s.interface.save()
    s.scope = factories.make_scope(s.device)
    BGPSetting.objects.create(assigned_object=s.scope.router, key="router_id", value="192.0.2.1")
    s.template = ConfigTemplate.objects.create(
        name="peers",
        template_code="{% for s in sessions %}{{ s.remote_ip }} {{ s.peer_asn }} {{ s.password }}\n{% endfor %}",
    )
    s.router = PeeringRouter.objects.create(device=s.device, config_template=s.template)
    _policies(s)
    _sessions(s)
    RemovedSession.objects.create(
        device=s.device,
        remote_ip="198.51.100.99",
        local_asn=64500,
        peer_asn=64511,
        peer_group="PEERS",
        name="gone",
    )
    return s


def _policies(s):
    s.prefix_list = PrefixList.objects.create(name="OURS-V4", family=4)
    PrefixListEntry.objects.create(
        prefix_list=s.prefix_list,
        sequence=10,
        action="permit",
        assigned_prefix=Prefix.objects.create(prefix="192.0.2.0/24"),
    )
    PrefixListEntry.objects.create(
        prefix_list=s.prefix_list,
        sequence=5,
        action="deny",
        assigned_prefix=CustomPrefix.objects.create(prefix="203.0.113.0/24"),
        ge=25,
        le=32,
    )
    s.direct_list = PrefixList.objects.create(name="DIRECT-V6", family=6)
    s.matched, s.set = (
        Community.objects.create(name=n, community=c) for n, c in (("", "64500:1"), ("lg", "64500:1:2"))
    )
    s.community_list = CommunityList.objects.create(name="CL", description="d")
    CommunityListEntry.objects.create(community_list=s.community_list, action="permit", community=s.set)
    s.as_path = ASPath.objects.create(name="AP")
    ASPathEntry.objects.create(aspath=s.as_path, sequence=10, action="permit", pattern="^64496_")
    s.maps = {
        name: RouteMap.objects.create(name=name)
        for name in ("OWN", "POLICY", "GROUP", "REL-IN", "REL-OUT", "IDLE")
    }
    entry = RouteMapEntry.objects.create(
        route_map=s.maps["OWN"],
        sequence=20,
        action="permit",
        flow_control=30,
        description="first",
        match={"Local-Preference": 100},
        set={"large community": "64500:1:2", "med": 5},
    )
    entry.match_prefix_list.add(s.prefix_list)
    entry.match_community_list.add(s.community_list)
    entry.match_community.add(s.matched)
    entry.match_aspath.add(s.as_path)
    RouteMapEntry.objects.create(route_map=s.maps["OWN"], sequence=10, action="deny", match=None, set=None)


def _sessions(s):
    s.bfd = BFDProfile.objects.create(name="fast", min_tx_int=300, min_rx_int=250, multiplier=3, hold=None)
    s.parent = BGPSessionTemplate.objects.create(name="parent", ttl=2, password=TEMPLATE_PASSWORD, bfd=s.bfd)
    s.session_template = BGPSessionTemplate.objects.create(
        name="child", parent=s.parent, remote_as=factories.make_asn(64497), local_as=factories.make_asn(64501)
    )
    s.group = BGPPeerTemplate.objects.create(
        name="PEERS", description="all", remote_as=factories.make_asn(64498)
    )
    s.relationship = factories.make_relationship(
        "Peer", routemap_in=s.maps["REL-IN"], routemap_out=s.maps["REL-OUT"], bgp_role="peer"
    )
    factories.make_peer_asn(
        64496, name="Example", irr_as_set="AS-EXAMPLE", ipv4_max_prefixes=100, ipv6_max_prefixes=50
    )
    s.v4, s.v6 = (
        BGPAddressFamily.objects.create(scope=s.scope, address_family=name)
        for name in ("ipv4-unicast", "ipv6-unicast")
    )
    grandparent = BGPPolicyTemplate.objects.create(name="grandparent", routemap_out=s.maps["POLICY"])
    s.policy = BGPPolicyTemplate.objects.create(name="policy", prefixlist_out=s.prefix_list)
    s.policy.parents.add(grandparent)
    BGPPeerAddressFamily.objects.create(
        assigned_object=s.group, address_family=s.v4, routemap_in=s.maps["GROUP"]
    )

    # Everything of its own.
    s.full_peer = factories.make_bgp_peer(
        "198.51.100.42/24",
        64496,
        s.scope,
        s.connection.ipv4_address,
        name="full",
        bfd=s.bfd,
        ttl=255,
        peer_group=s.group,
    )
    BGPPeerAddressFamily.objects.create(
        assigned_object=s.full_peer, address_family=s.v4, routemap_in=s.maps["OWN"], peer_policy=s.policy
    )
    BGPPeerAddressFamily.objects.create(
        assigned_object=s.full_peer, address_family=s.v6, enabled=False, prefixlist_in=s.direct_list
    )
    s.full = factories.make_session(
        s.full_peer,
        s.relationship,
        s.network,
        description=HOSTILE,
        service_reference="T1",
        ipv4_max_prefixes=7,
    )
    s.full.tags.add(s.tag)
    secrets.set_password(s.full, OWN_PASSWORD)
    s.full.custom_field_data = {"ticket": 'T-1 "é"', "graceful": True, "until": None}
    s.full.save()
    # Everything inherited: from its session template, its parent, the peer group.
    s.bare_peer = factories.make_bgp_peer(
        "198.51.100.43/24",
        64496,
        s.scope,
        name="",
        peer_session=s.session_template,
        peer_group=s.group,
        local_as=None,
    )
    s.bare_peer.remote_as = s.bare_peer.enabled = s.bare_peer.status = None
    s.bare_peer.save()
    s.bare = factories.make_session(s.bare_peer, s.relationship, s.network)
    s.link_local = factories.make_session(
        factories.make_bgp_peer("fe80::2/64", 4200000001, s.scope, s.connection.ipv6_address, name="ll"),
        s.relationship,
    )
    s.vrf = VRF.objects.create(name="CUSTOMERS")
    s.in_vrf = factories.make_session(
        factories.make_bgp_peer(
            "198.51.100.42/24",
            64496,
            factories.make_scope(s.device, s.vrf),
            name="vrf",
            password=CLEAR_PASSWORD,
            vrf=s.vrf,
        ),
        s.relationship,
    )


@factories.look_ups_kept()
def many_sessions(count):
    """Make a device with `count` sessions on one LAN, with address families and a password each. Returns the device."""
    network = factories.make_network("Many", ipv4="203.0.113.0/24", ipv6=None)
    device = factories.make_device("many.mtl")
    port = factories.make_interface(device)
    connection = factories.make_connection(network, port, "203.0.113.1/24")
    scope = factories.make_scope(device)
    template = BGPSessionTemplate.objects.create(name="many", ttl=2)
    policy = BGPPolicyTemplate.objects.create(name="many")
    group = BGPPeerTemplate.objects.create(name="many")
    prefix_list = PrefixList.objects.create(name="many")
    for number in range(count):
        peer = factories.make_bgp_peer(
            f"203.0.113.{number + 10}/24",
            4_200_000_000 + number,
            scope,
            connection.ipv4_address,
            families=("ipv4-unicast",),
            peer_session=template,
            peer_group=group,
            bfd=BFDProfile.objects.create(name=f"bfd {number}", min_tx_int=300, min_rx_int=300, multiplier=3),
        )
        route_map = RouteMap.objects.create(name=f"RM-{number}")
        entry = RouteMapEntry.objects.create(route_map=route_map, sequence=10, action="permit")
        entry.match_prefix_list.add(prefix_list)
        entry.match_aspath.add(ASPath.objects.create(name=f"AP-{number}"))
        entry.match_community.add(Community.objects.create(community=f"64501:{number}"))
        entry.match_community_list.add(CommunityList.objects.create(name=f"CL-{number}"))
        peer.address_families.update(routemap_in=route_map, peer_policy=policy)
        session = factories.make_session(peer, network=network)
        secrets.set_password(session, f"password {number}")
        session.save()
    return device


def user_with(*grants, superuser=False):
    """Make a user. Each grant is (model, actions) or (model, actions, constraints)."""
    users = get_user_model().objects
    name = f"user {users.count()}"
    if superuser:
        return users.create_superuser(name)
    user = users.create_user(name)
    for model, actions, *constraints in grants:
        permission = ObjectPermission.objects.create(
            name=f"{name} {model.__name__} {actions}",
            actions=list(actions),
            constraints=(constraints or [None])[0],
        )
        permission.object_types.add(ObjectType.objects.get_for_model(model))
        permission.users.add(user)
    return user


def engineer(*session_actions, constraints=None):
    """Make a user who may render and view everything here, and see passwords if `session_actions` say so."""
    from dcim.models import Device

    return user_with(
        (ConfigTemplate, ("view", "render")),
        (Device, ("view",)),
        (PeeringSession, ("view", *session_actions), constraints),
    )


def session_of(net, which):
    """One session as the context has it now."""
    found = gather(net.device.pk, reveal_secrets=True).context["sessions"]
    return next(session for session in found if session["id"] == which.pk)


def family_of(session, afi="ipv4-unicast"):
    """One address family of such a session."""
    return next(family for family in session["address_families"] if family["afi"] == afi)
