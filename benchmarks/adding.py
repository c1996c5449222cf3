"""
Adding 1,000 sessions: the preview in the browser, and their making.

On a LAN of its own, in a VRF of its own, with 500 networks that NetBox knows nothing of yet. Floors: of the preview,
one statement that finds the ports that lack a session, and its rows in the plainest table of HTML; of the making, plain
bulk inserts of the same rows, with no checks, permissions, change log, events, passwords or search index.

Sessions are made by a job, and so while a worker is there. NetBox enters what was made in its search index by jobs of
its own then, and row by row in the same process else: that is NetBox's work, and not measured here.
"""

import ipaddress
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path

import django_rq
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from jinja2 import Environment
from rq import Worker

from dcim.models import Interface
from ipam.models import ASN, RIR, VRF, IPAddress, Prefix
from netbox.constants import RQ_QUEUE_DEFAULT
from netbox_routing.models import BGPAddressFamily, BGPPeer, BGPPeerAddressFamily, BGPScope
from users.models import User

from benchmarks.generate import RIR_SLUG, make_router
from benchmarks.measure import Measured, Result, Seconds, compare, peak_of, queries_of, seconds_of
from netbox_peering_manager.models import (
    PeerASN,
    PeeringConnection,
    PeeringDBIXLan,
    PeeringDBNet,
    PeeringDBNetIXLan,
    PeeringFabric,
    PeeringNetwork,
    PeeringSession,
    Relationship,
)
from netbox_peering_manager.services.provisioning.create_bulk import create_planned
from netbox_peering_manager.services.provisioning.plan import plan_sessions
from netbox_peering_manager.services.provisioning.planned import Choices, MaxPrefixes, Password, Plan
from netbox_peering_manager.services.tracking import recorded, request_of

HERE = Path(__file__).parent
PORTS = 500
RUNS = 3
# Beyond the ids and AS numbers of the sample PeeringDB and of the other benchmarks.
FIRST_ID = 10**9
FIRST_ASN = 4_270_000_000
LEAST = Environment(autoescape=True).from_string(
    "{% for row in rows %}<tr>{% for cell in row.values() %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}"
)
LAN = {4: ipaddress.ip_network("100.64.0.0/16"), 6: ipaddress.ip_network("2001:db8:ffff::/64")}


def run(client: Client, progress: Callable[[str], None]) -> list[Result]:
    """Make the LAN, look at the preview as `client`, and make sessions."""
    progress("Preview of 1,000 sessions, and making them")
    # Private AS numbers belong to no RIR.
    settings.PLUGINS_CONFIG["netbox_peering_manager"]["default_rir"] = RIR_SLUG
    with transaction.atomic():
        lan = Lan()
    with a_worker_is_there():
        return [preview(client, lan), creation(lan)]


@contextmanager
def a_worker_is_there() -> Iterator[None]:
    """While the body runs, a worker is known that takes jobs from NetBox's default queue. It never comes to them."""
    queue = django_rq.get_queue(RQ_QUEUE_DEFAULT)
    worker = Worker([queue], connection=queue.connection)
    worker.register_birth()
    try:
        yield
    finally:
        worker.register_death()
        queue.empty()


class Lan:
    """Our port on a LAN, and as many strangers there as one asks for."""

    def __init__(self) -> None:
        vrf = VRF.objects.create(name="bench adding")
        device, scope = make_router("bench-adding")
        self.scope = BGPScope.objects.create(router=scope.router, vrf=vrf)
        self.families = {
            4: BGPAddressFamily.objects.create(scope=self.scope, address_family="ipv4-unicast"),
            6: BGPAddressFamily.objects.create(scope=self.scope, address_family="ipv6-unicast"),
        }
        fabric = PeeringFabric.objects.create(name="bench adding", slug="bench-adding")
        prefixes = {family: Prefix.objects.create(prefix=str(lan), vrf=vrf) for family, lan in LAN.items()}
        network = PeeringNetwork.objects.create(
            fabric=fabric, name="LAN", peeringdb_id=FIRST_ID, ipv4_prefix=prefixes[4], ipv6_prefix=prefixes[6]
        )
        interface = Interface.objects.create(device=device, name="Ethernet0", type="100gbase-x-qsfp28")
        for lan in LAN.values():
            IPAddress.objects.create(address=f"{lan[1]}/{lan.prefixlen}", vrf=vrf, assigned_object=interface)
        self.connection = PeeringConnection.objects.create(
            peering_network=network, interface=interface, bgp_scope=self.scope
        )
        self.relationship = Relationship.objects.get_or_create(slug="peer", defaults={"name": "Peer"})[0]
        now = timezone.now()
        PeeringDBIXLan.objects.create(id=FIRST_ID, ix_id=FIRST_ID, status="ok", updated=now)
        self.numbers = count(2)

    def new_ports(self) -> list[PeeringDBNetIXLan]:
        """Let 500 networks that nobody knows come to the LAN."""
        now = timezone.now()
        numbers = list(islice(self.numbers, PORTS))
        PeeringDBNet.objects.bulk_create(self._net(number, now) for number in numbers)
        ports = PeeringDBNetIXLan.objects.bulk_create(self._port(number, now) for number in numbers)
        with connection.cursor() as cursor:
            cursor.execute(
                "ANALYZE netbox_peering_manager_peeringdbnet, netbox_peering_manager_peeringdbnetixlan"
            )
        return ports

    @staticmethod
    def _net(number: int, now: object) -> PeeringDBNet:
        flags = (
            "info_unicast",
            "info_multicast",
            "info_ipv6",
            "info_never_via_route_servers",
            "policy_ratio",
        )
        return PeeringDBNet(
            id=FIRST_ID + number,
            status="ok",
            updated=now,
            org_id=1,
            asn=FIRST_ASN + number,
            name=f"Network {number}",
            irr_as_set=f"AS-N{number}",
            info_types=[],
            info_prefixes4=100,
            info_prefixes6=50,
            **dict.fromkeys(flags, False),
        )

    @staticmethod
    def _port(number: int, now: object) -> PeeringDBNetIXLan:
        return PeeringDBNetIXLan(
            id=FIRST_ID + number,
            status="ok",
            updated=now,
            net_id=FIRST_ID + number,
            asn=FIRST_ASN + number,
            ix_id=FIRST_ID,
            ixlan_id=FIRST_ID,
            speed=10000,
            ipaddr4=str(LAN[4][number]),
            ipaddr6=str(LAN[6][number]),
            is_rs_peer=False,
            bfd_support=False,
            operational=True,
        )

    def choices(self) -> Choices:
        return Choices(
            relationship=self.relationship.pk,
            max_prefixes=MaxPrefixes.PEERINGDB,
            margin_percent=10,
            password=Password.GENERATED,
        )


def preview(client: Client, lan: Lan) -> Result:
    """The page between the choices and the job, 1,000 rows with everything that they take."""
    ports = lan.new_ports()
    address = reverse("plugins:netbox_peering_manager:peeringsession_add_selected")
    statement = (HERE / "adding.sql").read_text()
    data = {
        "ports": ",".join(str(port.pk) for port in ports),
        "relationship": lan.relationship.pk,
        "families": "4,6",
        "route_servers": "flag",
        "status": "active",
        "enabled": "on",
        "max_prefixes": "peeringdb",
        "margin_percent": "10",
        "password": "generated",
        "_preview": "",
    }

    def whole() -> None:
        page = client.post(address, data).content.decode()
        if f"{2 * PORTS} sessions will be made" not in page:
            raise AssertionError("The preview lacks sessions")

    def least() -> str:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"ixlan": FIRST_ID})
            rows = [row[0] for row in cursor.fetchall()]
        if len(rows) != 2 * PORTS:
            raise AssertionError(f"The floor has {len(rows)} rows")
        return LEAST.render(rows=rows)

    return compare("add-preview", 2 * PORTS, whole, least)


def creation(lan: Lan) -> Result:
    """What the job does once its plan is made; each time for ports that are new."""
    user = User.objects.filter(is_superuser=True).first()

    def planned() -> Plan:
        plan = plan_sessions([port.pk for port in lan.new_ports()], lan.choices(), user)
        if len(plan.sessions) != 2 * PORTS:
            raise AssertionError(f"{len(plan.sessions)} sessions are planned")
        return plan

    def make(plan: Plan) -> None:
        with recorded(request_of(user)):
            made = create_planned(plan, user).made
        if len(made) != len(plan.sessions):
            raise AssertionError(f"{len(made)} of {len(plan.sessions)} sessions were made")

    make(planned())
    plan = planned()
    queries = queries_of(lambda: make(plan))
    plan = planned()
    peak = peak_of(lambda: make(plan))
    times, least = [], []
    for _ in range(RUNS):
        plan, ports = planned(), lan.new_ports()
        times.append(seconds_of(lambda plan=plan: make(plan)))
        least.append(seconds_of(lambda ports=ports: _insert_least(lan, ports)))
    seconds = Seconds(min(times), statistics.median(times), max(times))
    return Result("add-sessions", 2 * PORTS, Measured(queries, seconds, peak), statistics.median(least))


@transaction.atomic
def _insert_least(lan: Lan, ports: Sequence[PeeringDBNetIXLan]) -> None:
    """The bare rows of the sessions."""
    rir = RIR.objects.get(slug=RIR_SLUG)
    asns = ASN.objects.bulk_create(ASN(asn=port.asn, rir=rir) for port in ports)
    PeerASN.objects.bulk_create(PeerASN(asn=asn, name=f"Network {asn.asn}") for asn in asns)
    ends = list(_ends(ports, asns))
    addresses = IPAddress.objects.bulk_create(
        IPAddress(address=f"{host}/{LAN[family].prefixlen}", vrf=lan.scope.vrf) for _asn, family, host in ends
    )
    peers = BGPPeer.objects.bulk_create(
        BGPPeer(
            name=f"AS{asn.asn} bench adding",
            scope=lan.scope,
            peer=address,
            source=lan.connection.address_of(family),
            local_as=lan.scope.router.asn,
            remote_as=asn,
            status="active",
            enabled=True,
        )
        for (asn, family, _host), address in zip(ends, addresses, strict=True)
    )
    peer_type = ContentType.objects.get_for_model(BGPPeer)
    BGPPeerAddressFamily.objects.bulk_create(
        BGPPeerAddressFamily(
            assigned_object_type=peer_type,
            assigned_object_id=peer.pk,
            address_family=lan.families[family],
            enabled=True,
        )
        for (_asn, family, _host), peer in zip(ends, peers, strict=True)
    )
    PeeringSession.objects.bulk_create(
        PeeringSession(
            bgp_peer=peer, relationship=lan.relationship, peering_network=lan.connection.peering_network
        )
        for peer in peers
    )


def _ends(ports: Sequence[PeeringDBNetIXLan], asns: Sequence[ASN]) -> Iterator[tuple[ASN, int, str]]:
    for port, asn in zip(ports, asns, strict=True):
        yield asn, 4, port.ipaddr4
        yield asn, 6, port.ipaddr6
