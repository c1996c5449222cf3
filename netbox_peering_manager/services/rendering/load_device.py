"""The device's part of the first stage: itself, its interfaces, and the sessions that it has to forget."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, cast

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from dcim.models import Device, Interface
from ipam.models import IPAddress
from netbox_routing.models import BGPRouter, BGPSetting

from ...exceptions import RenderingRefused
from ...models import RemovedSession
from . import rows, sql

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

__all__ = ("load_device", "load_interfaces", "load_removed")


def load_device(device_id: int, user: "AbstractBaseUser | AnonymousUser | None") -> rows.DeviceRow:
    """
    Return the device with its rendered config context. RenderingRefused when it is not there or not for the user.
    """
    devices: Any = Device.objects.all()
    if user is not None:
        devices = devices.restrict(user, "view")
    device = (
        devices.annotate_config_context_data(only_invalidated=True)
        .annotate(
            tag_slugs=sql.tag_slugs(Device), bgp_router_rows=ArraySubquery(_bgp_routers(OuterRef("pk")))
        )
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
        bgp_routers=tuple(rows.BgpRouterRow(**router) for router in device.bgp_router_rows),
    )


def _bgp_routers(device: OuterRef) -> Any:
    """Return the query for the device's BGP routers as JSON, by AS number."""
    settings = BGPSetting.objects.filter(
        assigned_object_type=ContentType.objects.get_for_model(BGPRouter),
        assigned_object_id=OuterRef("pk"),
        key="router_id",
    )
    return (
        BGPRouter.objects.filter(
            assigned_object_type=ContentType.objects.get_for_model(Device), assigned_object_id=device
        )
        .order_by("asn__asn", "pk")
        .values_list(
            JSONObject(asn="asn__asn", router_id=Subquery(settings.order_by("pk").values("value")[:1])),
            flat=True,
        )
    )


def _slugged(thing: Any) -> rows.Slugged | None:
    return rows.Slugged(thing.name, thing.slug) if thing else None


def load_interfaces(
    device_id: int, found: Iterable[rows.SessionRow], connections: Iterable[rows.ConnectionRow]
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


def load_removed(device_id: int, ids: Collection[int] | None = None) -> tuple[rows.RemovedRow, ...]:
    """Return the device's sessions that were deleted and are not there again: all, or those with these ids."""
    columns = ("remote_ip", "local_interface", "vrf", "local_asn", "peer_asn", "peer_group", "name")
    found = cast(Any, RemovedSession.objects).still_removed().filter(device_id=device_id)
    if ids is not None:
        found = found.filter(sql.id_in("pk", ids))
    return tuple(map(rows.RemovedRow._make, found.values_list(*columns)))
