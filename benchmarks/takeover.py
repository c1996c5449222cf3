"""
Importing sessions: the preview of 1,000 neighbours of a router, in the browser, of which NetBox knows nothing yet.

On a LAN of its own, in a VRF of its own. Floor: what was read is decrypted, and shown in the plainest table of HTML.
"""

import uuid
from collections.abc import Callable

from django.conf import settings
from django.test import Client
from django.urls import reverse

from core.models import Job
from dcim.models import Interface
from ipam.models import VRF, IPAddress, Prefix
from netbox_routing.models import BGPScope
from users.models import User

from benchmarks.adding import LAN, LEAST
from benchmarks.generate import RIR_SLUG, make_router
from benchmarks.measure import Result, compare
from netbox_peering_manager.jobs.takeover import ReadSessionsJob
from netbox_peering_manager.models import (
    PeerASN,
    PeeringConnection,
    PeeringFabric,
    PeeringNetwork,
    PeeringRouter,
    Relationship,
)
from netbox_peering_manager.services.takeover import kept
from netbox_peering_manager.services.takeover.found import (
    Found,
    FoundAddress,
    FoundFamily,
    FoundGroup,
    FoundNeighbor,
    FoundRouteMap,
)

NEIGHBORS = 1000
FIRST_ASN = 4_280_000_000
VRF_NAME = "bench takeover"


def run(client: Client, progress: Callable[[str], None]) -> list[Result]:
    """Make a router and what was read of it, and look at the preview as `client`."""
    progress("Preview of an import of 1,000 neighbours")
    # Private AS numbers belong to no RIR.
    settings.PLUGINS_CONFIG["netbox_peering_manager"]["default_rir"] = RIR_SLUG
    router, relationship = _make_router()
    own_asn = BGPScope.objects.filter(router__device=router.device).first().router.asn.asn
    job = Job.objects.create(
        name=ReadSessionsJob.name,
        object=router,
        user=User.objects.get(pk=client.session["_auth_user_id"]),
        job_id=uuid.uuid4(),
        status="completed",
    )
    kept.keep(str(job.job_id), _found(own_asn))
    url = reverse("plugins:netbox_peering_manager:peeringrouter_import_sessions", args=[router.pk])
    address = f"{url}?job={job.pk}"

    def whole() -> None:
        page = client.get(address).content.decode()
        if f"Import {NEIGHBORS} sessions" not in page:
            raise AssertionError("The preview lacks sessions")

    def least() -> str:
        found = kept.look(str(job.job_id), router)
        return LEAST.render(
            rows=[{name: getattr(each, name) for name in each.__slots__} for each in found.neighbors]
        )

    result = compare("import-preview", NEIGHBORS, whole, least)
    relationship.delete()
    return [result]


def _make_router() -> tuple[PeeringRouter, Relationship]:
    vrf = VRF.objects.create(name=VRF_NAME)
    device, scope = make_router("bench-takeover")
    BGPScope.objects.create(router=scope.router, vrf=vrf)
    PeerASN.objects.get_or_create(asn=scope.router.asn, defaults={"affiliated": True})
    fabric = PeeringFabric.objects.create(name=VRF_NAME, slug="bench-takeover")
    prefixes = {family: Prefix.objects.create(prefix=str(lan), vrf=vrf) for family, lan in LAN.items()}
    network = PeeringNetwork.objects.create(
        fabric=fabric, name="LAN", ipv4_prefix=prefixes[4], ipv6_prefix=prefixes[6]
    )
    interface = Interface.objects.create(device=device, name="Ethernet0", type="100gbase-x-qsfp28")
    for lan in LAN.values():
        IPAddress.objects.create(address=f"{lan[1]}/{lan.prefixlen}", vrf=vrf, assigned_object=interface)
    PeeringConnection.objects.create(peering_network=network, interface=interface)
    router = PeeringRouter.objects.get_or_create(device=device)[0]
    # The one whose role says that it is for sessions over a LAN.
    Relationship.objects.filter(bgp_role="peer").update(bgp_role="")
    return router, Relationship.objects.create(name="bench takeover", slug="bench-takeover", bgp_role="peer")


def _found(own_asn: int) -> Found:
    families = {
        4: FoundFamily("ipv4-unicast", "BENCH-IN", "", 100),
        6: FoundFamily("ipv6-unicast", "BENCH-IN", "", 50),
    }
    of_group = (FoundFamily("ipv4-unicast", "", "BENCH-OUT"), FoundFamily("ipv6-unicast", "", "BENCH-OUT"))
    return Found(
        local_asn=own_asn,
        neighbors=tuple(
            FoundNeighbor(
                vrf=VRF_NAME,
                remote_ip=str(LAN[family][10 + number]),
                remote_asn=FIRST_ASN + number,
                local_asn=own_asn,
                local_ip=str(LAN[family][1]),
                peer_group="BENCH",
                description=f"Network {number}",
                families=(families[family],),
                ttl=255,
                password="secret-of-the-benchmark",
                has_password=True,
            )
            for number in range(NEIGHBORS // 2)
            for family in (4, 6)
        ),
        groups=(FoundGroup("BENCH", VRF_NAME, families=of_group),),
        route_maps=tuple(
            FoundRouteMap(name, ((10, "permit"),), is_whole=True) for name in ("BENCH-OUT", "BENCH-IN")
        ),
        addresses=tuple(FoundAddress("Ethernet0", str(lan[1]), lan.prefixlen) for lan in LAN.values()),
    )
