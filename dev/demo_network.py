"""
What the demo's network has before its first peer, written into a NetBox: `python -m dev.demo_network`.

Example Networks (AS64500) has two routers in London, one running FRR and one Junos, with the addresses of their ports
on exchanges, a private interconnect with a customer, a transit provider, and its policies. The exchanges, their
members and the sessions with them come out of the sample PeeringDB (`demo.py`), which tells the same story
(`sample_peeringdb/story.py`). Addresses are RFC 5737, RFC 3849 and, for further exchanges, RFC 2544; AS numbers RFC
5398. Running it again changes nothing. Prints one JSON object: the ids that `demo.py` goes on with.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).parent.parent / "examples" / "templates"
OUR_ASN = 64500
LAN4, LAN6 = "198.51.100.0/24", "2001:db8:100::/64"
EXCHANGE, INTERCONNECT, TRANSIT = "Example IX London", "Interconnect with AS64510", "Transit of AS64505"


@dataclass(frozen=True)
class Member:
    """Another network: its AS, and the last part of its addresses on the exchange's LAN (None: not there)."""

    asn: int
    name: str
    as_set: str
    host: int | None
    limits: tuple[int, int]


MEMBERS = (
    Member(64496, "Aurora Broadband", "AS-AURORA", 11, (400, 120)),
    Member(64497, "Borealis Hosting", "AS64497:AS-BOREALIS", 12, (150, 60)),
    Member(64498, "Cumulus CDN", "RIPE::AS-CUMULUS", 13, (2000, 900)),
    Member(64499, "Delta Research Network", "AS-DELTA", 14, (80, 40)),
    Member(64501, "Estuary Fibre", "AS-ESTUARY", 15, (300, 80)),
    Member(64502, "Fjord Mobile", "AS-FJORD", 16, (900, 300)),
    Member(64503, "Glacier Cloud", "AS-GLACIER", 17, (1200, 700)),
    Member(64504, "Harbour Games", "AS-HARBOUR", 18, (60, 20)),
    Member(65540, "Isthmus Video", "AS-ISTHMUS", 19, (500, 250)),
    Member(64509, "Example IX route servers", "AS-EXAMPLE-IX-RS", 250, (150000, 50000)),
    Member(64505, "Continental Transit", "AS-CONTINENTAL", None, (1200000, 300000)),
    Member(64510, "Lagoon Stores", "AS-LAGOON", None, (40, 20)),
)
SECOND_ROUTE_SERVER = 251
DISABLED = {64499, 64504}
WITH_PASSWORD = {64498, 64503}
WITH_BFD = {64498}
# Our addresses on the exchanges' LANs, by router and interface: what the import of our ports goes by.
PORTS = {
    "edge1.lon1": {"eth1": ("198.51.100.1/24", "2001:db8:100::1/64")},
    "edge2.lon1": {
        "et-0/0/1": ("198.51.100.2/24", "2001:db8:100::2/64"),
        "et-0/0/2": ("198.18.0.1/24", "2001:db8:1000::1/64"),
    },
}


def build():
    """Make what is missing of the network. Returns the ids of the two devices and of the FRR template."""
    routers = {
        name: _router(name, platform) for name, platform in (("edge1.lon1", "frr"), ("edge2.lon1", "junos"))
    }
    policies = _policies(routers["edge1.lon1"])
    kinds = _relationships(policies)
    for router, ports in PORTS.items():
        for interface, addresses in ports.items():
            _interface(routers[router], interface, *addresses)
    _sessions_on_private_links(routers["edge1.lon1"], kinds)
    _add_missing_families(policies)
    return {
        "device": routers["edge1.lon1"].pk,
        "second_device": routers["edge2.lon1"].pk,
        "template": routers["edge1.lon1"].peering_router.config_template_id,
        "relationships": {slug: kind.pk for slug, kind in kinds.items()},
        "peer_groups": {number: policies[f"IX-PEERS-V{number}"].pk for number in (4, 6)},
        "bfd": policies["BFD"].pk,
    }


def _router(name, platform):
    from dcim.models import Device, DeviceRole, DeviceType, Manufacturer, Platform, Site
    from extras.models import ConfigTemplate
    from netbox_routing.models import BGPRouter, BGPScope, BGPSetting

    from netbox_peering_manager.models import PeeringRouter

    label = {"frr": "FRRouting", "junos": "Junos"}[platform]
    maker = Manufacturer.objects.get_or_create(slug="example", defaults={"name": "Example Systems"})[0]
    device = Device.objects.get_or_create(
        name=name,
        defaults={
            "site": Site.objects.get_or_create(slug="lon1", defaults={"name": "London 1"})[0],
            "role": DeviceRole.objects.get_or_create(slug="edge", defaults={"name": "Edge router"})[0],
            "device_type": DeviceType.objects.get_or_create(
                slug=f"edge-{platform}", manufacturer=maker, defaults={"model": f"Edge {label}"}
            )[0],
            "platform": Platform.objects.get_or_create(slug=platform, defaults={"name": label})[0],
        },
    )[0]
    template = ConfigTemplate.objects.get_or_create(
        name=f"Peering on {label}",
        defaults={
            "template_code": (TEMPLATES / f"{platform}.j2").read_text(),
            "environment_params": {"trim_blocks": True, "lstrip_blocks": True},
        },
    )[0]
    PeeringRouter.objects.get_or_create(device=device, defaults={"config_template": template})
    own = _peer_asn(OUR_ASN, name="Example Networks", irr_as_set="AS-EXAMPLE", affiliated=True)
    router = BGPRouter.objects.filter(device=device).first() or BGPRouter.objects.create(
        name=name, assigned_object=device, asn=own.asn
    )
    BGPScope.objects.get_or_create(router=router, vrf=None)
    router_id = "192.0.2.1" if platform == "frr" else "192.0.2.2"
    if not router.settings.exists():
        BGPSetting.objects.create(assigned_object=router, key="router_id", value=router_id)
    return device


def _peer_asn(number, *, limits=(None, None), **fields):
    from ipam.models import ASN, RIR

    from netbox_peering_manager.models import PeerASN

    rir = RIR.objects.get_or_create(
        slug="documentation", defaults={"name": "Documentation", "is_private": True}
    )[0]
    asn = ASN.objects.get_or_create(asn=number, defaults={"rir": rir})[0]
    fields |= dict(zip(("ipv4_max_prefixes", "ipv6_max_prefixes"), limits, strict=True))
    return PeerASN.objects.get_or_create(asn=asn, defaults=fields)[0]


def _policies(device):
    """Prefix lists, communities, AS-path lists, route maps, peer groups and a BFD profile, by the names they go by."""
    from netbox_routing.models import (
        ASPath,
        ASPathEntry,
        BFDProfile,
        BGPPeerTemplate,
        Community,
        CommunityList,
        CommunityListEntry,
        CustomPrefix,
        PrefixList,
        PrefixListEntry,
        RouteMap,
        RouteMapEntry,
    )

    def prefix_list(name, family, *rows):
        made, new = PrefixList.objects.get_or_create(name=name, defaults={"family": family})
        for number, (action, prefix, ge, le) in enumerate(rows if new else (), 1):
            PrefixListEntry.objects.create(
                prefix_list=made,
                sequence=number * 10,
                action=action,
                assigned_prefix=CustomPrefix.objects.get_or_create(prefix=prefix)[0],
                ge=ge,
                le=le,
            )
        return made

    def route_map(name, *entries):
        made, new = RouteMap.objects.get_or_create(name=name)
        for number, entry in enumerate(entries if new else (), 1):
            row = RouteMapEntry.objects.create(
                route_map=made, sequence=number * 10, action=entry["action"], set=entry.get("set"), match={}
            )
            row.match_prefix_list.set(entry.get("prefix_lists", ()))
            row.match_community_list.set(entry.get("community_lists", ()))
            row.match_aspath.set(entry.get("as_paths", ()))
        return made

    bogons = [
        prefix_list(
            "BOGONS-V4", 4, ("permit", "10.0.0.0/8", None, 32), ("permit", "192.168.0.0/16", None, 32)
        ),
        prefix_list("BOGONS-V6", 6, ("permit", "fc00::/7", None, 128), ("permit", "fe80::/10", None, 128)),
    ]
    announced = [
        prefix_list("ANNOUNCED-V4", 4, ("permit", "203.0.113.0/24", None, None)),
        prefix_list("ANNOUNCED-V6", 6, ("permit", "2001:db8::/48", None, None)),
    ]
    paths, new = ASPath.objects.get_or_create(name="NO-TRANSIT-LEAK")
    if new:
        ASPathEntry.objects.create(aspath=paths, sequence=10, action="permit", pattern="_64505_")
    customers, new = CommunityList.objects.get_or_create(name="FROM-CUSTOMERS")
    if new:
        community = Community.objects.get_or_create(
            community="64500:3000", defaults={"name": "From customers"}
        )[0]
        CommunityListEntry.objects.create(community_list=customers, action="permit", community=community)

    drop = [{"action": "deny", "prefix_lists": [one]} for one in bogons]
    send = [{"action": "permit", "prefix_lists": [one]} for one in announced]
    send_customers = {"action": "permit", "community_lists": [customers]}

    def accept(preference, community):
        return {"action": "permit", "set": {"local_preference": preference, "community": [community]}}

    found = {
        "PEER-IN": route_map(
            "PEER-IN", *drop, {"action": "deny", "as_paths": [paths]}, accept(200, "64500:2000")
        ),
        "PEER-OUT": route_map("PEER-OUT", *send, send_customers),
        "TRANSIT-IN": route_map("TRANSIT-IN", *drop, accept(100, "64500:1000")),
        "TRANSIT-OUT": route_map("TRANSIT-OUT", *send, send_customers),
        "CUSTOMER-IN": route_map("CUSTOMER-IN", *drop, accept(300, "64500:3000")),
        "CUSTOMER-OUT": route_map("CUSTOMER-OUT", {"action": "permit"}),
        "BFD": BFDProfile.objects.get_or_create(
            name="IX", defaults={"min_tx_int": 300, "min_rx_int": 300, "multiplier": 3}
        )[0],
    }
    for name in ("IX-PEERS-V4", "IX-PEERS-V6"):
        found[name] = BGPPeerTemplate.objects.get_or_create(name=name, defaults={"enabled": True})[0]
    return found


def _relationships(policies):
    from netbox_peering_manager.models import Relationship

    kinds = {
        "transit": ("Transit", "f44336", "customer", "TRANSIT"),
        "customer": ("Customer", "2196f3", "provider", "CUSTOMER"),
        "peer": ("Peer", "4caf50", "peer", "PEER"),
        "ixp-rs": ("IX Route Server", "ffeb3b", "rs-client", "PEER"),
    }
    return {
        slug: Relationship.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "color": color,
                "bgp_role": role,
                "routemap_in": policies[f"{policy}-IN"],
                "routemap_out": policies[f"{policy}-OUT"],
                "remove_from_router": slug == "peer",
            },
        )[0]
        for slug, (name, color, role, policy) in kinds.items()
    }


def _interface(device, name, *addresses):
    """An interface with its addresses."""
    from dcim.models import Interface
    from ipam.models import IPAddress

    interface = Interface.objects.get_or_create(
        device=device, name=name, defaults={"type": "100gbase-x-qsfp28"}
    )[0]
    for address in addresses:
        IPAddress.objects.filter(address=address).exists() or IPAddress.objects.create(
            address=address, assigned_object=interface
        )
    return interface


def _port(device, interface_name, lan, *addresses):
    """Our port on a LAN; the connection finds its addresses and BGP scope by itself."""
    from netbox_peering_manager.models import PeeringConnection

    interface = _interface(device, interface_name, *addresses)
    return PeeringConnection.objects.get_or_create(peering_network=lan, interface=interface)[0]


def _sessions_on_private_links(device, kinds):
    """The private interconnect with a customer, and the transit provider's link."""
    from ipam.models import Prefix

    from netbox_peering_manager.models import PeeringFabric, PeeringNetwork

    links = (
        (INTERCONNECT, "eth2", 64510, kinds["customer"], "203.0.113.128", "2001:db8:200::"),
        (TRANSIT, "eth3", 64505, kinds["transit"], "203.0.113.132", "2001:db8:201::"),
    )
    by_asn = {member.asn: member for member in MEMBERS}
    for asn in (64510, 64505):
        member = by_asn[asn]
        _peer_asn(asn, name=member.name, irr_as_set=member.as_set, limits=member.limits)
    for name, interface, asn, kind, net4, net6 in links:
        fabric = PeeringFabric.objects.get_or_create(slug=interface, defaults={"name": name, "type": "pni"})[
            0
        ]
        lan = PeeringNetwork.objects.get_or_create(
            fabric=fabric,
            name="Link",
            defaults={
                "ipv4_prefix": Prefix.objects.get_or_create(prefix=f"{net4}/30")[0],
                "ipv6_prefix": Prefix.objects.get_or_create(prefix=f"{net6}/64")[0],
            },
        )[0]
        ours4, theirs4 = (f"{net4.rpartition('.')[0]}.{int(net4.rpartition('.')[2]) + n}" for n in (1, 2))
        port = _port(device, interface, lan, f"{ours4}/30", f"{net6}1/64")
        for address in (theirs4, f"{net6}2"):
            _session(
                port, address, by_asn[asn], relationship=kind, ttl=255 if kind.slug == "transit" else None
            )


def _session(port, address, member, **fields):
    """Make one session through the plugin's service, unless its router has it."""
    from netbox_peering_manager.models import PeeringSession
    from netbox_peering_manager.services.provisioning.create import NewSession, create_sessions

    known = PeeringSession.objects.filter(
        bgp_peer__scope=port.bgp_scope, bgp_peer__peer__address__net_host=address
    ).exists()
    if not known:
        new = NewSession(
            remote_asn=member.asn, remote_ip=address, connection=port, description=member.name, **fields
        )
        create_sessions([new])


def _add_missing_families(policies):
    """The peer groups' own address families, one per scope's family that the sessions brought."""
    from netbox_routing.models import BGPAddressFamily, BGPPeerAddressFamily, BGPPeerTemplate

    for family in BGPAddressFamily.objects.filter(scope__router__name="edge1.lon1"):
        number = 4 if family.address_family.startswith("ipv4") else 6
        group = BGPPeerTemplate.objects.get(name=f"IX-PEERS-V{number}")
        if not group.address_families.exists():
            BGPPeerAddressFamily.objects.create(
                assigned_object=group,
                address_family=family,
                enabled=True,
                routemap_in=policies["PEER-IN"],
                routemap_out=policies["PEER-OUT"],
            )


if __name__ == "__main__":
    import django

    django.setup()
    from django.db import transaction

    with transaction.atomic():
        json.dump(build(), sys.stdout)
