"""Networks as PeeringDB's mirror has them, for pages and forms about the AS: plain values, by AS number."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from ...models import PeerASN, PeeringDBNet, PeeringDBPoc, PeeringDBWatermark
from ..suggestions import suggested
from .site import site_url

__all__ = ("Contact", "Network", "contacts_of", "network_of", "suggested_for", "synced_at")

# The order in which one looks for somebody to talk to about peering.
ROLES = ("Policy", "NOC", "Technical", "Maintenance", "Abuse", "Public Relations", "Sales")


@dataclass(frozen=True)
class Network:
    """
    What PeeringDB says of a network. Texts are "" where it says nothing; links are http(s) addresses or "".

    `page` is its page at PeeringDB; `synced` when the mirror's networks were last brought up to date.
    """

    id: int
    asn: int
    name: str
    aka: str
    page: str
    website: str
    looking_glass: str
    status_dashboard: str
    as_set: str
    prefixes4: int | None
    prefixes6: int | None
    types: str
    traffic: str
    ratio: str
    scope: str
    never_via_route_servers: bool
    policy_general: str
    policy_url: str
    policy_locations: str
    policy_ratio: bool
    policy_contracts: str
    rir_status: str
    updated: datetime


@dataclass(frozen=True)
class Contact:
    """A network's point of contact. `url` is an http(s) address or ""."""

    role: str
    visible: str
    name: str
    email: str
    phone: str
    url: str


def network_of(asn: int) -> Network | None:
    """Return what the mirror has of the network with this AS number, None when it has none. One query."""
    return _as_network(net) if (net := _net(asn)) else None


def contacts_of(asn: int) -> tuple[Contact, ...]:
    """
    Return the contacts that the mirror has of this AS's network, those for peering first. One query.

    For users with `view_contacts` on PeeringDB syncs, which the caller has made sure of.
    """
    nets = PeeringDBNet.objects.filter(asn=asn).values("pk")
    found = (
        Contact(poc.role, poc.visible, poc.name, poc.email, poc.phone, _web(poc.url))
        for poc in PeeringDBPoc.objects.filter(net_id__in=nets)
    )
    return tuple(sorted(found, key=lambda contact: (_rank(contact.role), contact.name)))


def synced_at(tag: str) -> datetime | None:
    """Return when this type of the mirror was last brought up to date, None when it never was. One query."""
    return PeeringDBWatermark.objects.filter(tag=tag).values_list("synced", flat=True).first()


def suggested_for(asn: int) -> dict[str, Any]:
    """
    Return what the mirror suggests for a PeerASN of this AS, by the PeerASN's fields: empty when it has no network.

    The network's id is left out when another PeerASN has it.
    """
    if (net := _net(asn)) is None:
        return {}
    taken = PeerASN.objects.filter(peeringdb_id=net.pk).exclude(asn__asn=asn).exists()
    return suggested(net) | ({} if taken else {"peeringdb_id": net.pk})


def _net(asn: int) -> PeeringDBNet | None:
    """The net of this AS number: the youngest, should the mirror have two for a moment."""
    return PeeringDBNet.objects.filter(asn=asn).order_by("-pk").first()


def _as_network(net: PeeringDBNet) -> Network:
    return Network(
        id=net.pk,
        asn=net.asn,
        name=net.name,
        aka=net.aka,
        page=site_url("net", net.pk),
        website=_web(net.website),
        looking_glass=_web(net.looking_glass),
        status_dashboard=_web(net.status_dashboard),
        as_set=net.irr_as_set,
        prefixes4=net.info_prefixes4,
        prefixes6=net.info_prefixes6,
        types=", ".join(net.info_types),
        traffic=net.info_traffic,
        ratio=net.info_ratio,
        scope=net.info_scope,
        never_via_route_servers=net.info_never_via_route_servers,
        policy_general=net.policy_general,
        policy_url=_web(net.policy_url),
        policy_locations=net.policy_locations,
        policy_ratio=net.policy_ratio,
        policy_contracts=net.policy_contracts,
        rir_status=net.rir_status,
        updated=net.updated,
    )


def _web(address: str) -> str:
    """An address that a page may link to: people write it, and other schemes could run something."""
    return address if urlsplit(address).scheme in ("http", "https") else ""


def _rank(role: str) -> int:
    return ROLES.index(role) if role in ROLES else len(ROLES)
