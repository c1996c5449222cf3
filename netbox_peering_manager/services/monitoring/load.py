"""What is known of a router's sessions before a poll is recorded, held against their deletion meanwhile."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import CharField, F, Func, Value
from django.db.models.functions import Coalesce

from netbox_routing.models import BGPPeer

from ...models import PeerASN, PeeringSession
from ..devices.neighbors import Prefixes
from ..rendering.effective import limit_of
from .match import Address, Watched
from .transitions import Limits, State

__all__ = ("Known", "known_addresses", "load_sessions")

COUNTERS = tuple(
    f"ipv{family}_{what}" for family in (4, 6) for what in ("received", "accepted", "advertised")
)
STATE_FIELDS = (
    *("bgp_state", "reason", "since", "up_since", "last_established", "flaps", "polled", "stale_since"),
    *("ipv4_limit", "ipv6_limit", *COUNTERS),
)
# fe80::/10 (RFC 4291 §2.5.6), as PostgreSQL and ipaddress write it.
LINK_LOCAL = ("fe8", "fe9", "fea", "feb")


class Known(NamedTuple):
    """A session of the router. `former` is None when it was never polled."""

    watched: Watched
    limits: Limits
    former: State | None


def load_sessions(device_id: int) -> tuple[Known, ...]:
    """
    Return the sessions on the device, enabled or not. Within a transaction: until its end none of them can be deleted.

    Four queries at most.
    """
    held = _held(device_id)
    # By the device once more: thousands of ids would take longer to ask for than their rows.
    rows = [row for row in _rows(device_id) if row[0] in held]
    peers = _limits_of_peers({row[5] for row in rows if row[5]})
    interfaces = _interfaces([row[0] for row in rows if row[2].startswith(LINK_LOCAL)])
    return tuple(_known(row, peers, interfaces) for row in rows)


def known_addresses(device_id: int) -> frozenset[Address]:
    """Return the addresses of all BGP peers of the device, with a session or without."""
    peers = BGPPeer.objects.filter(scope__router__device=device_id).order_by()
    return frozenset(
        Address(vrf, address) for vrf, address in peers.values_list(_vrf("scope"), _host("peer__address"))
    )


def _held(device_id: int) -> set[int]:
    """
    The ids of the device's sessions, each locked against deletion, and against nothing else.

    What refers to a session is checked when the transaction ends: one that was deleted meanwhile would undo it all.
    """
    sessions = PeeringSession.objects.for_device(device_id).order_by().values_list("pk")
    sql, parameters = sessions.query.sql_with_params()
    table = connection.ops.quote_name(PeeringSession._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} FOR KEY SHARE OF {table}", parameters)
        return {pk for (pk,) in cursor.fetchall()}


def _rows(device_id: int) -> Any:
    return (
        PeeringSession.objects.for_device(device_id)
        .with_remote_as()
        .order_by()
        .values_list(
            "pk",
            _vrf("bgp_peer__scope"),
            _host("bgp_peer__peer__address"),
            "ipv4_max_prefixes",
            "ipv6_max_prefixes",
            "remote_as_id",
            *(f"state__{name}" for name in STATE_FIELDS),
        )
    )


def _vrf(scope: str) -> Coalesce:
    return Coalesce(F(f"{scope}__vrf__name"), Value(""), output_field=CharField())


def _host(path: str) -> Func:
    return Func(F(path), function="HOST", output_field=CharField())


def _limits_of_peers(asn_ids: set[int]) -> dict[int, Limits]:
    peers = PeerASN.objects.filter(asn__in=asn_ids).order_by()
    rows = peers.values_list("asn_id", "ipv4_max_prefixes", "ipv6_max_prefixes")
    return {asn_id: Limits(ipv4, ipv6) for asn_id, ipv4, ipv6 in rows}


def _interfaces(pks: Sequence[int]) -> dict[int, str]:
    """Our interfaces of these sessions: needed of link-local addresses alone."""
    if not pks:
        return {}
    sessions = PeeringSession.objects.filter(pk__in=pks).with_local_interface().order_by()
    return dict(sessions.values_list("pk", "local_interface"))


def _known(row: Sequence[Any], peers: dict[int, Limits], interfaces: dict[int, str]) -> Known:
    pk, vrf, remote_ip, ipv4, ipv6, asn_id, *state = row
    of_peer = peers.get(asn_id, Limits())
    return Known(
        Watched(pk, Address(vrf, remote_ip), interfaces.get(pk, "")),
        Limits(limit_of(ipv4, of_peer.ipv4)[0], limit_of(ipv6, of_peer.ipv6)[0]),
        _state(*state) if state[0] else None,
    )


def _state(
    bgp_state: str, reason: str, since: Any, up_since: Any, last_established: Any, flaps: int, polled: Any,
    stale_since: Any, ipv4_limit: int | None, ipv6_limit: int | None, *counters: int | None,
) -> State:  # fmt: skip
    return State(
        bgp_state=bgp_state,
        since=since,
        polled=polled,
        reason=reason,
        up_since=up_since,
        last_established=last_established,
        flaps=flaps,
        ipv4=Prefixes(*counters[:3]),
        ipv6=Prefixes(*counters[3:]),
        limits=Limits(ipv4_limit, ipv6_limit),
        stale=stale_since is not None,
    )
