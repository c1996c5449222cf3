"""Area `deployments`: the sessions of a peer over all exchanges, as the page shows that configures several of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from netbox_routing.models import BGPPeerTemplate

from ..models import PeerASN, PeeringConnection, PeeringRouter, PeeringSession, Relationship
from ..services.provisioning.rearrange import is_on_router
from ..tables.configuration import configuration_badge, configuration_of
from ..tables.states import state_badge, state_of
from .deployments_buttons import why_not_router

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

__all__ = ("Exchange", "Row", "exchanges_of", "offered", "sessions_of")


@dataclass(frozen=True, slots=True)
class Option:
    """One of a select. `pk` "" is none."""

    pk: int | str
    label: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A session. `connections` is empty when its port stays; `why_not` is "" when it can be configured."""

    pk: int
    name: str
    url: str
    address: str
    router: str
    router_url: str
    port: str
    state: SafeString
    badge: SafeString
    is_ticked: bool
    relationships: Sequence[Option]
    peer_groups: Sequence[Option]
    connections: Sequence[Option]
    why_not: str


@dataclass(frozen=True, slots=True)
class Lan:
    """The sessions on one network."""

    name: str
    url: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Exchange:
    """The sessions on one fabric; of those without an exchange the name says so."""

    name: str
    url: str
    lans: Sequence[Lan]


@dataclass(frozen=True, slots=True)
class Offered:
    """What can be chosen, of what the user may view: relationship types, peer groups, connections by id."""

    relationships: Mapping[int, Relationship]
    peer_groups: Mapping[int, BGPPeerTemplate]
    connections: Mapping[int, PeeringConnection]


def sessions_of(peer: PeerASN, user: "AbstractBaseUser | AnonymousUser") -> list[PeeringSession]:
    """Return the sessions with this peer that `user` may view, in the order of the page."""
    found = PeeringSession.objects.restrict(user, "view").for_remote_as(peer.asn_id)
    return list(
        found.with_bgp()
        .with_connection()
        .with_state()
        .order_by("peering_network__fabric__name", "peering_network__name", "bgp_peer__peer__address", "pk")
    )


def offered(sessions: Iterable[PeeringSession], user: "AbstractBaseUser | AnonymousUser") -> Offered:
    """Return what can be chosen for these sessions. Three queries."""
    networks = {session.peering_network_id for session in sessions} - {None}
    connections = PeeringConnection.objects.restrict(user, "view").with_parents()
    return Offered(
        {row.pk: row for row in Relationship.objects.restrict(user, "view")},
        {row.pk: row for row in BGPPeerTemplate.objects.restrict(user, "view").order_by("name")},
        {row.pk: row for row in connections.filter(peering_network__in=networks)},
    )


def exchanges_of(
    sessions: Sequence[PeeringSession],
    choice: Offered,
    user: "AbstractBaseUser | AnonymousUser",
    posted: Mapping[str, Any] | None = None,
    ticked: Iterable[str] = (),
) -> list[Exchange]:
    """Return what the page shows. `posted` and `ticked`: what was chosen before something was refused."""
    devices = {session.device.pk for session in sessions if session.device}
    visible = PeeringRouter.objects.restrict(user, "view").with_device().filter(device__in=devices)
    routers = {router.device_id: router for router in visible}
    marked = set(ticked)
    places: dict[Any, dict[Any, list[Row]]] = {}
    for session in sessions:
        lan = session.peering_network
        row = _row(session, choice, routers, posted or {}, marked)
        places.setdefault(lan.fabric if lan else None, {}).setdefault(lan, []).append(row)
    return [
        Exchange(
            str(fabric) if fabric else _("No exchange"),
            fabric.get_absolute_url() if fabric else "",
            [
                Lan(lan.name if lan else "", lan.get_absolute_url() if lan else "", rows)
                for lan, rows in lans.items()
            ],
        )
        for fabric, lans in places.items()
    ]


def _row(
    session: PeeringSession,
    choice: Offered,
    routers: Mapping[int, PeeringRouter],
    posted: Mapping[str, Any],
    ticked: set[str],
) -> Row:
    device, peer = session.device, session.bgp_peer
    router = routers.get(device.pk) if device else None
    own = session.connection_id
    port = choice.connections.get(own) if own else None
    chosen = {
        "relationship": session.relationship_id,
        "peer_group": peer.peer_group_id or "",
        "connection": own or "",
    }
    chosen = {name: posted.get(f"{name}-{session.pk}", value) for name, value in chosen.items()}
    return Row(
        pk=session.pk,
        name=str(session),
        url=session.get_absolute_url(),
        address=str(peer.peer.address).split("/")[0],
        router=str(router or device or ""),
        router_url=router.get_absolute_url() if router else "",
        port=str(port.interface) if port else "",
        state=state_badge(state_of(session)),
        badge=configuration_badge(configuration_of(session)),
        is_ticked=str(session.pk) in ticked,
        relationships=_options(choice.relationships, chosen["relationship"], session.relationship),
        peer_groups=[
            Option("", _("None"), chosen["peer_group"] == ""),
            *_options(choice.peer_groups, chosen["peer_group"], peer.peer_group),
        ],
        connections=_ports(choice, session, chosen["connection"]) if not is_on_router(session) else (),
        why_not=why_not_router(router),
    )


def _options(rows: Mapping[int, Any], chosen: Any, present: Any) -> list[Option]:
    """What can be chosen, and what there is, which the user may perhaps not view otherwise."""
    shown = dict(rows)
    if present is not None:
        shown.setdefault(present.pk, present)
    return [Option(pk, str(row), str(pk) == str(chosen)) for pk, row in shown.items()]


def _ports(choice: Offered, session: PeeringSession, chosen: Any) -> list[Option]:
    """Our ports on the session's network, when there is another than its own."""
    found = [
        Option(row.pk, row.port, str(row.pk) == str(chosen))
        for row in choice.connections.values()
        if row.peering_network_id == session.peering_network_id and row.bgp_scope_id is not None
    ]
    if len(found) < 2 and any(option.is_chosen for option in found):
        return []
    return found if any(option.is_chosen for option in found) else [Option("", "", True), *found]
