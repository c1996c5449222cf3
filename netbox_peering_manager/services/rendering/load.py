"""
First stage: the sessions and everything that they may inherit from, as rows (`rows.Loaded`).

The number of queries is fixed, whatever the number of sessions and policies. Only the sessions and the device
that the user may view are read; what a session refers to comes with it, as a configuration that lacked some of
it would be wrong. Passwords are decrypted for sessions whose secrets the user may see, and for no others.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.utils.translation import gettext as _

from dcim.models import Device, Interface
from ipam.models import ASN, Prefix
from netbox_routing.models import (
    BFDProfile,
    BGPPeer,
    BGPPeerAddressFamily,
    BGPPeerTemplate,
    BGPPolicyTemplate,
    BGPRouter,
    BGPSessionTemplate,
    CustomPrefix,
)

from ...exceptions import RenderingRefused
from ...models import PeeringNetwork, PeeringSession
from .. import secrets
from . import rows, sql
from .load_device import load_device, load_interfaces, load_removed

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    User = AbstractBaseUser | AnonymousUser

__all__ = ("families_of", "load", "policy_templates_of")

type Kept = dict[int, tuple[str, str]]

# What netbox-routing's and NetBox's generic relations lead to and come from.
GENERIC_TYPES = (Device, Interface, PeeringSession, BGPRouter, BGPPeer, BGPPeerTemplate, Prefix, CustomPrefix)

# Those of SessionRow, in its order, and behind them what decides about the password.
SESSION_COLUMNS = (
    "pk",
    "bgp_peer_id",
    "bgp_peer__name",
    "description",
    "bgp_peer__description",
    "bgp_peer__status",
    "bgp_peer__enabled",
    "is_route_server",
    "service_reference",
    "ipv4_max_prefixes",
    "ipv6_max_prefixes",
    "bgp_peer__ttl",
    "relationship_id",
    "relationship__name",
    "relationship__slug",
    "relationship__bgp_role",
    "relationship__routemap_in_id",
    "relationship__routemap_out_id",
    "peering_network_id",
    "bgp_peer__peer_group_id",
    "bgp_peer__peer_session_id",
    "bgp_peer__local_as_id",
    "bgp_peer__remote_as_id",
    "bgp_peer__bfd_id",
    "bgp_peer__scope_id",
    "bgp_peer__scope__router__asn_id",
    "router_device",
    "bgp_peer__scope__vrf__name",
    "bgp_peer__source_id",
    "source_host",
    "bgp_peer__source__interface__name",
    "remote_host",
    "remote_family",
    "tag_slugs",
    "custom_fields_text",
    "may_reveal",
    "encrypted_password",
    "bgp_peer__password",
)
# Those of NetworkRow and of ConnectionRow, in their order.
NETWORK_COLUMNS = (
    "pk",
    "name",
    sql.as_text("ipv4_prefix__prefix"),
    sql.as_text("ipv6_prefix__prefix"),
    "vlan__vid",
    "mtu",
    "fabric_id",
    "fabric__name",
    "fabric__slug",
    "fabric__type",
    "fabric__peeringdb_id",
    "fabric__peer_group_id",
)
CONNECTION_COLUMNS = (
    "connections__pk",
    "connections__peering_network_id",
    "connections__status",
    "connections__interface_id",
    "connections__interface__name",
    "connections__interface__device_id",
    "connections__ipv4_address_id",
    "connections__ipv6_address_id",
    sql.as_text("connections__ipv4_address__address"),
    sql.as_text("connections__ipv6_address__address"),
    "connections__ipv4_peer_group_id",
    "connections__ipv6_peer_group_id",
)


def load(
    device_id: int | None = None,
    session_ids: Collection[int] | None = None,
    user: "User | None" = None,
    reveal_secrets: bool = False,
    removed_ids: Collection[int] | None = None,
) -> rows.Loaded:
    """
    Read the sessions of a device (`session_ids` None), or exactly `session_ids`, which must lie on the device
    if one is given, and what belongs to them; of the device's removed sessions those with `removed_ids` (None: all).

    Without a user the caller is trusted: nothing is restricted, and `reveal_secrets` says whether passwords
    come in clear. With one it is not looked at: `view_session_secrets` on each session decides.
    RenderingRefused names the device or the sessions that are not there or not for this user; SecretError a
    password that no key fits.
    """
    # All at once, if Django does not know them yet: it would ask for each by itself.
    ContentType.objects.get_for_models(*GENERIC_TYPES)
    device = None if device_id is None else load_device(device_id, user)
    found, kept, revealed = _sessions(device_id, session_ids, user, reveal_secrets)
    if session_ids is not None:
        _refuse_missing(session_ids, found, device)
    session_templates, template_passwords = _session_templates(found)
    networks, connections = _networks_and_connections(found, device_id)
    peer_groups = _peer_groups(_group_ids(found, connections, networks))
    peer_ids = {row.bgp_peer_id for row in found}
    peer_families, group_families = families_of(peer_ids, set(peer_groups)) if found else ({}, {})
    return rows.Loaded(
        sessions=found,
        revealed=revealed,
        passwords=_decrypted(found, kept, revealed),
        template_passwords=template_passwords,
        asns=_asns(found, session_templates.values(), peer_groups.values()),
        session_templates=session_templates,
        policy_templates=policy_templates_of(peer_families, group_families),
        peer_groups=peer_groups,
        peer_families=peer_families,
        group_families=group_families,
        networks=networks,
        connections=connections,
        bfd_profiles=_bfd_profiles(found, session_templates.values()),
        device=device,
        interfaces=load_interfaces(device.id, found, connections) if device else (),
        removed=load_removed(device.id, removed_ids) if device else (),
    )


def _read[Row](row_type: type[Row], model: Any, ids: Collection[int], *columns: Any) -> dict[int, Row]:
    """Return the rows of `model` with these ids, by id, made of the id and the columns. No ids, no query."""
    if not ids:
        return {}
    found = model.objects.filter(sql.id_in("pk", ids)).order_by().values_list("pk", *columns)
    return {values[0]: row_type(*values) for values in found}


def _sessions(
    device_id: int | None, session_ids: Collection[int] | None, user: "User | None", reveal_secrets: bool
) -> tuple[tuple[rows.SessionRow, ...], Kept, frozenset[int]]:
    """
    Return the session rows in the context's order, (encrypted, plain) passwords of those that have any, and the
    ids of those whose password may be shown in clear.
    """
    wanted = _wanted_sessions(device_id, session_ids, user).annotate(
        source_host=sql.host_of("bgp_peer__source__address"),
        remote_host=sql.host_of("bgp_peer__peer__address"),
        remote_family=sql.family_of("bgp_peer__peer__address"),
        tag_slugs=sql.tag_slugs(PeeringSession),
        router_device=Case(
            When(
                bgp_peer__scope__router__assigned_object_type=ContentType.objects.get_for_model(Device),
                then="bgp_peer__scope__router__assigned_object_id",
            )
        ),
        # As text, because most are empty and Django would parse each.
        custom_fields_text=sql.as_text("custom_field_data"),
        may_reveal=_may_reveal(user, reveal_secrets),
    )
    found, kept, revealed = [], {}, set()
    for *columns, custom_fields, may_reveal, encrypted, plain in wanted.order_by(
        "remote_family", sql.inet_of("bgp_peer__peer__address"), "bgp_peer__name", "pk"
    ).values_list(*SESSION_COLUMNS):
        row = rows.SessionRow._make((*columns, {} if custom_fields == "{}" else json.loads(custom_fields)))
        found.append(row)
        if may_reveal:
            revealed.add(row.id)
        if encrypted or plain:
            kept[row.id] = (encrypted, plain or "")
    # Stable, so that families and addresses keep their order within a VRF; the global table comes first.
    # Compared here, because the database's collation differs from one installation to the next.
    found.sort(key=lambda row: row.vrf or "")
    return tuple(found), kept, frozenset(revealed)


def _wanted_sessions(device_id: int | None, session_ids: Collection[int] | None, user: "User | None") -> Any:
    sessions: Any = PeeringSession.objects.all()
    if user is not None:
        sessions = sessions.restrict(user, "view")
    if session_ids is not None:
        return sessions.filter(sql.id_in("pk", session_ids))
    return sessions.filter(
        bgp_peer__scope__router__assigned_object_type=ContentType.objects.get_for_model(Device),
        bgp_peer__scope__router__assigned_object_id=device_id,
    )


def _may_reveal(user: "User | None", reveal_secrets: bool) -> Any:
    if user is None:
        return Value(reveal_secrets)
    return Exists(PeeringSession.objects.restrict(user, secrets.ACTION).filter(pk=OuterRef("pk")))


def _refuse_missing(
    session_ids: Collection[int], found: Collection[rows.SessionRow], device: rows.DeviceRow | None
) -> None:
    missing = sorted(set(session_ids) - {row.id for row in found})
    messages = [_("There is no session with ID {id}.").format(id=session_id) for session_id in missing]
    if device:
        messages += [
            _("Session {id} is not on {device}.").format(id=row.id, device=device.name)
            for row in found
            if row.device_id != device.id
        ]
    if messages:
        raise RenderingRefused({"sessions": messages})


def _decrypted(
    found: Iterable[rows.SessionRow], kept: Mapping[int, tuple[str, str]], revealed: Collection[int]
) -> dict[int, str]:
    """Return each session's own password, the encrypted one first; those not to be revealed as the mask."""
    names = {
        row.id: _("session {name} (ID {id})").format(name=row.name or "", id=row.id)
        for row in found
        if row.id in kept
    }
    clear = [session_id for session_id in kept if session_id in revealed]
    own = (
        secrets.decrypt_all((kept[session_id][0], names[session_id]) for session_id in clear) if clear else []
    )
    passwords = dict.fromkeys(kept, secrets.MASK)
    passwords.update(
        {session_id: text or kept[session_id][1] for session_id, text in zip(clear, own, strict=True)}
    )
    return passwords


def _session_templates(
    found: Iterable[rows.SessionRow],
) -> tuple[dict[int, rows.SessionTemplateRow], dict[int, str]]:
    """
    Return every session template, as their parents are theirs too, and the passwords of those that have one.
    """
    if not any(row.session_template_id for row in found):
        return {}, {}
    templates, passwords = {}, {}
    columns = ("pk", "parent_id", "enabled", "local_as_id", "remote_as_id", "ttl", "bfd_id", "password")
    for *values, password in BGPSessionTemplate.objects.order_by().values_list(*columns):
        templates[values[0]] = rows.SessionTemplateRow._make(values)
        if password:
            passwords[values[0]] = password
    return templates, passwords


def _networks_and_connections(
    found: Collection[rows.SessionRow], device_id: int | None
) -> tuple[dict[int, rows.NetworkRow], tuple[rows.ConnectionRow, ...]]:
    """
    Return the sessions' networks and those that the device has a port on, by id; and of their connections those of
    the sessions' devices and of the device, and those that have a session's source address.
    """
    network_ids = {row.network_id for row in found if row.network_id}
    if not network_ids and device_id is None:
        return {}, ()
    of_device = Q() if device_id is None else Q(connections__interface__device_id=device_id)
    values = (
        PeeringNetwork.objects.filter(Q(sql.id_in("pk", network_ids)) | of_device)
        .order_by("connections__pk")
        .values_list(*NETWORK_COLUMNS, *CONNECTION_COLUMNS)
    )
    devices = {row.device_id for row in found} | {device_id}
    sources = {row.source_id for row in found if row.source_id}
    networks, connections = {}, []
    for columns in values:
        network = rows.NetworkRow._make(columns[: len(NETWORK_COLUMNS)])
        networks[network.id] = network
        if columns[len(NETWORK_COLUMNS)] is None:
            continue
        port = rows.ConnectionRow._make(columns[len(NETWORK_COLUMNS) :])
        if port.device_id in devices or not sources.isdisjoint((port.ipv4_address_id, port.ipv6_address_id)):
            connections.append(port)
    return networks, tuple(connections)


def _group_ids(
    found: Iterable[rows.SessionRow],
    connections: Iterable[rows.ConnectionRow],
    networks: Mapping[int, rows.NetworkRow],
) -> set[int]:
    """Return the ids of the peer groups that a session may be in: its own, a connection's, a fabric's."""
    ids = {row.peer_group_id for row in found}
    for connection in connections:
        ids |= {connection.ipv4_peer_group_id, connection.ipv6_peer_group_id}
    ids |= {network.peer_group_id for network in networks.values()}
    return {group_id for group_id in ids if group_id}


def families_of(
    peer_ids: Collection[int], group_ids: Collection[int]
) -> tuple[dict[int, tuple[rows.FamilyRow, ...]], dict[int, tuple[rows.FamilyRow, ...]]]:
    """
    Return the address families of BGP peers and of peer groups, by peer and by group, ordered by AFI/SAFI.
    """
    owners: dict[int, dict[int, list[rows.FamilyRow]]] = {
        ContentType.objects.get_for_model(model).pk: defaultdict(list) for model in (BGPPeer, BGPPeerTemplate)
    }
    of_peers, of_groups = owners
    values = (
        BGPPeerAddressFamily.objects.filter(
            Q(sql.id_in("assigned_object_id", peer_ids), assigned_object_type=of_peers)
            | Q(sql.id_in("assigned_object_id", group_ids), assigned_object_type=of_groups)
        )
        .order_by("pk")
        .values_list(
            "assigned_object_type_id",
            "assigned_object_id",
            "address_family__scope_id",
            "address_family__address_family",
            "enabled",
            "prefixlist_in_id",
            "prefixlist_out_id",
            "routemap_in_id",
            "routemap_out_id",
            "peer_policy_id",
        )
    )
    for kind, *columns in values:
        row = rows.FamilyRow._make(columns)
        owners[kind][row.owner_id].append(row)
    by_afi = {
        kind: {owner: _by_afi(families) for owner, families in found.items()}
        for kind, found in owners.items()
    }
    return by_afi[of_peers], by_afi[of_groups]


def _by_afi(families: list[rows.FamilyRow]) -> tuple[rows.FamilyRow, ...]:
    return tuple(sorted(families, key=lambda row: row.afi))


def policy_templates_of(*owners: Mapping[int, Iterable[rows.FamilyRow]]) -> dict[int, rows.PolicyTemplateRow]:
    """
    Return every policy template, as their parents are theirs too; none when no address family refers to one.
    """
    if not any(row.policy_template_id for families in owners for found in families.values() for row in found):
        return {}
    parents = (
        BGPPolicyTemplate.parents.through.objects.filter(from_bgppolicytemplate=OuterRef("pk"))
        .order_by("to_bgppolicytemplate__name")
        .values("to_bgppolicytemplate")
    )
    values = BGPPolicyTemplate.objects.order_by().values_list(
        "pk",
        "enabled",
        "prefixlist_in_id",
        "prefixlist_out_id",
        "routemap_in_id",
        "routemap_out_id",
        ArraySubquery(parents),
    )
    return {row[0]: rows.PolicyTemplateRow._make(row) for row in values}


def _peer_groups(ids: Collection[int]) -> dict[int, rows.PeerGroupRow]:
    return _read(rows.PeerGroupRow, BGPPeerTemplate, ids, "name", "description", "enabled", "remote_as_id")


def _asns(
    found: Iterable[rows.SessionRow],
    templates: Iterable[rows.SessionTemplateRow],
    peer_groups: Iterable[rows.PeerGroupRow],
) -> dict[int, rows.AsnRow]:
    """Return the AS numbers that any of these names, with what their PeerASN says."""
    ids = {asn_id for row in found for asn_id in (row.remote_as_id, row.local_as_id, row.router_asn_id)}
    ids |= {asn_id for template in templates for asn_id in (template.remote_as_id, template.local_as_id)}
    ids |= {group.remote_as_id for group in peer_groups}
    return _read(
        rows.AsnRow,
        ASN,
        {asn_id for asn_id in ids if asn_id},
        "asn",
        "peer_asn__name",
        "peer_asn__irr_as_set",
        "peer_asn__ipv4_max_prefixes",
        "peer_asn__ipv6_max_prefixes",
    )


def _bfd_profiles(
    found: Iterable[rows.SessionRow], templates: Iterable[rows.SessionTemplateRow]
) -> dict[int, rows.BfdRow]:
    ids = {row.bfd_id for row in found} | {template.bfd_id for template in templates}
    return _read(
        rows.BfdRow,
        BFDProfile,
        {i for i in ids if i},
        "name",
        "min_tx_int",
        "min_rx_int",
        "multiplier",
        "hold",
    )
