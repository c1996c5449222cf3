"""
First stage: the sessions and everything that they may inherit from, as rows (`rows.Loaded`).

The number of queries is fixed, whatever the number of sessions and policies. Only the sessions and the device
that the user may view are read; what a session refers to comes with it, as a configuration that lacked some
of it would be wrong. Passwords are decrypted for sessions whose secrets the user may see, and for no others.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from dcim.models import Device, Interface
from ipam.models import ASN, IPAddress
from netbox_routing.models import (
    BFDProfile,
    BGPPeer,
    BGPPeerAddressFamily,
    BGPPeerTemplate,
    BGPPolicyTemplate,
    BGPRouter,
    BGPSessionTemplate,
    BGPSetting,
)

from ...exceptions import RenderingRefused
from ...models import PeeringConnection, PeeringNetwork, PeeringSession, Relationship, RemovedSession
from .. import secrets
from . import rows, sql

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    User = AbstractBaseUser | AnonymousUser

__all__ = ("load",)


def load(
    device_id: int | None = None,
    session_ids: Collection[int] | None = None,
    user: "User | None" = None,
    reveal_secrets: bool = False,
) -> rows.Loaded:
    """
    Read the sessions of a device (`session_ids` None), or exactly `session_ids`, which must lie on the device
    if one is given, and what belongs to them.

    Without a user the caller is trusted: nothing is restricted, and `reveal_secrets` says whether passwords
    come in clear. With one it is not looked at: `view_session_secrets` on each session decides.
    RenderingRefused names the device or the sessions that are not there or not for this user; SecretError a
    password that no key fits.
    """
    device = None if device_id is None else _device(device_id, user)
    visible = _restricted(PeeringSession.objects.all(), user, "view")
    found, kept_passwords = _sessions(visible, device_id, session_ids)
    routers = _routers({row.router_id for row in found if row.router_id}, device_id)
    if session_ids is not None:
        _refuse_missing(session_ids, found, routers, device)
    revealed = _revealed(found, kept_passwords, user, reveal_secrets)
    session_templates, template_passwords = _session_templates(found)
    connections = _connections(found, routers, device_id)
    networks = _networks(
        {row.network_id for row in found if row.network_id} | {row.network_id for row in connections}
    )
    peer_groups = _peer_groups(_group_ids(found, connections, networks))
    peer_families, group_families = _families({row.bgp_peer_id for row in found}, set(peer_groups))
    return rows.Loaded(
        sessions=found,
        revealed=revealed,
        passwords=_decrypted(found, kept_passwords, revealed),
        template_passwords=template_passwords,
        routers=routers,
        relationships=_relationships(found),
        asns=_asns(found, session_templates.values(), peer_groups.values(), routers.values()),
        session_templates=session_templates,
        policy_templates=_policy_templates(peer_families, group_families),
        peer_groups=peer_groups,
        peer_families=peer_families,
        group_families=group_families,
        networks=networks,
        connections=connections,
        bfd_profiles=_bfd_profiles(found, session_templates.values()),
        device=device,
        interfaces=_interfaces(device_id, found, connections) if device else (),
        removed=_removed(device_id) if device else (),
    )


def _restricted(queryset: Any, user: "User | None", action: str) -> Any:
    return queryset if user is None else queryset.restrict(user, action)


def _read[Row](row_type: type[Row], model: Any, ids: Collection[int], *columns: Any) -> dict[int, Row]:
    """Return the rows of `model` with these ids, by id, made of the id and the columns. No ids, no query."""
    if not ids:
        return {}
    found = model.objects.filter(sql.id_in("pk", ids)).order_by().values_list("pk", *columns)
    return {values[0]: row_type(*values) for values in found}


def _device(device_id: int, user: "User | None") -> rows.DeviceRow:
    device = (
        _restricted(Device.objects.all(), user, "view")
        .annotate_config_context_data(only_invalidated=True)
        .annotate(tag_slugs=sql.tag_slugs(Device))
        .select_related(
            "platform", "role", "site", "tenant", "primary_ip4", "primary_ip6", "device_type__manufacturer"
        )
        .order_by()
        .filter(pk=device_id)
        .first()
    )
    if device is None:
        raise RenderingRefused({"device": [_("There is no device with ID {id}.").format(id=device_id)]})
    return rows.DeviceRow(
        id=device.pk,
        name=str(device),
        platform=_slugged(device.platform),
        role=_slugged(device.role),
        site=_slugged(device.site),
        tenant=_slugged(device.tenant),
        serial=device.serial,
        primary_ip4=str(device.primary_ip4.address.ip) if device.primary_ip4 else None,
        primary_ip6=str(device.primary_ip6.address.ip) if device.primary_ip6 else None,
        tags=device.tag_slugs,
        custom_fields=device.custom_field_data,
        config_context=device.get_config_context(),
    )


def _slugged(thing: Any) -> rows.Slugged | None:
    return rows.Slugged(thing.name, thing.slug) if thing else None


def _sessions(
    visible: Any, device_id: int | None, session_ids: Collection[int] | None
) -> tuple[tuple[rows.SessionRow, ...], dict[int, tuple[str, str]]]:
    """
    Return the session rows, in the context's order, and (encrypted, plain) passwords of those that have any.
    """
    if session_ids is not None:
        wanted = visible.filter(sql.id_in("pk", session_ids))
    else:
        wanted = visible.filter(
            bgp_peer__scope__router__assigned_object_type=ContentType.objects.get_for_model(Device),
            bgp_peer__scope__router__assigned_object_id=device_id,
        )
    values = (
        wanted.annotate(
            source_host=sql.host_of("bgp_peer__source__address"),
            remote_host=sql.host_of("bgp_peer__peer__address"),
            remote_family=sql.family_of("bgp_peer__peer__address"),
            tag_slugs=sql.tag_slugs(PeeringSession),
        )
        .order_by("remote_family", sql.inet_of("bgp_peer__peer__address"), "bgp_peer__name", "pk")
        .values_list(
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
            "peering_network_id",
            "bgp_peer__peer_group_id",
            "bgp_peer__peer_session_id",
            "bgp_peer__local_as_id",
            "bgp_peer__remote_as_id",
            "bgp_peer__bfd_id",
            "bgp_peer__scope_id",
            "bgp_peer__scope__router_id",
            "bgp_peer__scope__vrf__name",
            "bgp_peer__source_id",
            "source_host",
            "bgp_peer__source__interface__name",
            "remote_host",
            "remote_family",
            "tag_slugs",
            "custom_field_data",
            "encrypted_password",
            "bgp_peer__password",
        )
    )
    found, kept = [], {}
    for *columns, encrypted, plain in values:
        row = rows.SessionRow._make(columns)
        found.append(row)
        if encrypted or plain:
            kept[row.id] = (encrypted, plain or "")
    # Stable, so that families and addresses keep their order within a VRF; the global table comes first.
    # Compared here, because the database's collation differs from one installation to the next.
    found.sort(key=lambda row: row.vrf or "")
    return tuple(found), kept


def _refuse_missing(
    session_ids: Collection[int],
    found: Collection[rows.SessionRow],
    routers: Mapping[int, rows.RouterRow],
    device: rows.DeviceRow | None,
) -> None:
    missing = sorted(set(session_ids) - {row.id for row in found})
    messages = [_("There is no session with ID {id}.").format(id=session_id) for session_id in missing]
    if device:
        messages += [
            _("Session {id} is not on {device}.").format(id=row.id, device=device.name)
            for row in found
            if row.router_id is None or routers[row.router_id].device_id != device.id
        ]
    if messages:
        raise RenderingRefused({"sessions": messages})


def _revealed(
    found: Iterable[rows.SessionRow], kept: Collection[int], user: "User | None", reveal_secrets: bool
) -> frozenset[int]:
    """
    Return the ids of the sessions, among those that may have a password, whose password may be shown in
    clear.
    """
    ids = {row.id for row in found if row.id in kept or row.session_template_id}
    if user is None:
        return frozenset(ids if reveal_secrets else ())
    if not ids:
        return frozenset()
    may_see = PeeringSession.objects.restrict(user, secrets.ACTION).filter(sql.id_in("pk", ids))
    return frozenset(may_see.order_by().values_list("pk", flat=True))


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


def _routers(ids: Collection[int], device_id: int | None) -> dict[int, rows.RouterRow]:
    """Return these BGP routers and those of the device, ordered by their AS number."""
    if not ids and device_id is None:
        return {}
    devices = ContentType.objects.get_for_model(Device).pk
    setting = BGPSetting.objects.filter(
        assigned_object_type=ContentType.objects.get_for_model(BGPRouter),
        assigned_object_id=OuterRef("pk"),
        key="router_id",
    )
    of_device = (
        Q(assigned_object_type=devices, assigned_object_id=device_id) if device_id is not None else Q()
    )
    found = (
        BGPRouter.objects.filter(Q(sql.id_in("pk", ids)) | of_device)
        .order_by("asn__asn", "pk")
        .values_list(
            "pk",
            "asn_id",
            "assigned_object_type_id",
            "assigned_object_id",
            Subquery(setting.values("value")[:1]),
        )
    )
    return {
        pk: rows.RouterRow(pk, asn_id, object_id if type_id == devices else None, router_id)
        for pk, asn_id, type_id, object_id, router_id in found
    }


def _relationships(found: Iterable[rows.SessionRow]) -> dict[int, rows.RelationshipRow]:
    ids = {row.relationship_id for row in found}
    return _read(
        rows.RelationshipRow,
        Relationship,
        ids,
        "name",
        "slug",
        "bgp_role",
        "routemap_in_id",
        "routemap_out_id",
    )


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


def _connections(
    found: Collection[rows.SessionRow], routers: Mapping[int, rows.RouterRow], device_id: int | None
) -> tuple[rows.ConnectionRow, ...]:
    """
    Return the connections that sessions may run over, and all of the device, by id.

    Those of the sessions' devices on the sessions' networks, and those that have a session's source address.
    """
    devices = {router.device_id for router in routers.values() if router.device_id}
    networks = {row.network_id for row in found if row.network_id}
    sources = {row.source_id for row in found if row.source_id}
    if not networks and device_id is None:
        return ()
    on_networks = Q(sql.id_in("peering_network_id", networks)) & (
        Q(sql.id_in("interface__device_id", devices))
        | Q(sql.id_in("ipv4_address_id", sources))
        | Q(sql.id_in("ipv6_address_id", sources))
    )
    of_device = Q(interface__device_id=device_id) if device_id is not None else Q()
    values = (
        PeeringConnection.objects.filter(on_networks | of_device)
        .order_by("pk")
        .values_list(
            "pk",
            "peering_network_id",
            "status",
            "interface_id",
            "interface__name",
            "interface__device_id",
            "ipv4_address_id",
            "ipv6_address_id",
            sql.as_text("ipv4_address__address"),
            sql.as_text("ipv6_address__address"),
            "ipv4_peer_group_id",
            "ipv6_peer_group_id",
        )
    )
    return tuple(map(rows.ConnectionRow._make, values))


def _networks(ids: Collection[int]) -> dict[int, rows.NetworkRow]:
    return _read(
        rows.NetworkRow,
        PeeringNetwork,
        ids,
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


def _families(
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
        if peer_ids
        else ()
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


def _policy_templates(*owners: Mapping[int, Iterable[rows.FamilyRow]]) -> dict[int, rows.PolicyTemplateRow]:
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
    routers: Iterable[rows.RouterRow],
) -> dict[int, rows.AsnRow]:
    """Return the AS numbers that any of these names, with what their PeerASN says."""
    ids = {row.remote_as_id for row in found} | {row.local_as_id for row in found}
    ids |= {asn_id for template in templates for asn_id in (template.remote_as_id, template.local_as_id)}
    ids |= {group.remote_as_id for group in peer_groups} | {router.asn_id for router in routers}
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


def _interfaces(
    device_id: int | None, found: Iterable[rows.SessionRow], connections: Iterable[rows.ConnectionRow]
) -> tuple[rows.InterfaceRow, ...]:
    """
    Return the device's interfaces that carry a connection or a session's source address, in NetBox's order.
    """
    interfaces = ContentType.objects.get_for_model(Interface)
    addresses = IPAddress.objects.filter(assigned_object_type=interfaces)
    with_source = addresses.filter(sql.id_in("pk", {row.source_id for row in found if row.source_id}))
    own_addresses = addresses.filter(assigned_object_id=OuterRef("pk")).order_by(
        sql.family_of("address"), "address"
    )
    values = (
        Interface.objects.filter(
            Q(sql.id_in("pk", {connection.interface_id for connection in connections}))
            | Q(pk__in=with_source.order_by().values("assigned_object_id")),
            device_id=device_id,
        )
        .annotate(
            address_texts=ArraySubquery(own_addresses.values_list(sql.as_text("address"), flat=True)),
            tag_slugs=sql.tag_slugs(Interface),
        )
        .values_list(
            "pk",
            "name",
            "description",
            "enabled",
            "mtu",
            "primary_mac_address__mac_address",
            "vrf__name",
            "address_texts",
            "tag_slugs",
            "custom_field_data",
        )
    )
    return tuple(
        rows.InterfaceRow(pk, name, description, enabled, mtu, str(mac) if mac else None, *rest)
        for pk, name, description, enabled, mtu, mac, *rest in values
    )


def _removed(device_id: int | None) -> tuple[rows.RemovedRow, ...]:
    columns = ("remote_ip", "vrf", "local_asn", "peer_asn", "peer_group", "name")
    found = cast(Any, RemovedSession.objects).still_removed().filter(device_id=device_id)
    return tuple(map(rows.RemovedRow._make, found.values_list(*columns)))
