"""Rows of PeeringDB's mirror, made by hand: what a test is about is given, everything else is something that fits."""

from itertools import count

from django.utils import timezone

from netbox_peering_manager.models import (
    PeeringDBIX,
    PeeringDBIXLan,
    PeeringDBIXPfx,
    PeeringDBNet,
    PeeringDBNetIXLan,
)

_ids = count(1000)


def _make(model, values, **defaults):
    plain = {
        field.name: ""
        for field in model._meta.fields
        if field.get_internal_type() == "TextField" and field.name != "status"
    }
    flags = {field.name: False for field in model._meta.fields if field.get_internal_type() == "BooleanField"}
    values = {**plain, **flags, **defaults, **values}
    values.setdefault("id", next(_ids))
    return model.objects.create(status="ok", updated=timezone.now(), **values)


def make_ix(pk=26, name="Example IX", **values):
    return _make(PeeringDBIX, {"id": pk, "name": name, **values}, org_id=1, city="London", country="GB")


def make_ixlan(ix, pk=None, *prefixes, **values):
    """A LAN of an exchange (a row or an id) with its prefixes."""
    ix_id = getattr(ix, "pk", ix)
    lan = _make(PeeringDBIXLan, {"id": ix_id if pk is None else pk, "ix_id": ix_id, **values}, mtu=1500)
    for prefix in prefixes:
        make_ixpfx(lan, prefix)
    return lan


def make_ixpfx(lan, prefix, **values):
    protocol = "IPv6" if ":" in prefix else "IPv4"
    values = {"ixlan_id": getattr(lan, "pk", lan), "prefix": prefix, "protocol": protocol, **values}
    return _make(PeeringDBIXPfx, values)


def make_exchange(pk=26, name="Example IX", *, prefixes=("198.51.100.0/24", "2001:db8:100::/64"), **lan):
    """An exchange with one LAN. Returns both."""
    ix = make_ix(pk, name)
    return ix, make_ixlan(ix, None, *prefixes, **lan)


def make_net(asn, pk=None, **values):
    lists = {"info_types": []}
    return _make(PeeringDBNet, {"asn": asn, "name": f"AS{asn}", **values, "id": pk or asn}, org_id=1, **lists)


def make_port(lan, asn, ipv4=None, ipv6=None, pk=None, **values):
    """A netixlan on a LAN (a row or an id) of AS `asn`."""
    values = {
        "net_id": asn,
        "ix_id": getattr(lan, "ix_id", 0),
        "ixlan_id": getattr(lan, "pk", lan),
        "asn": asn,
        "ipaddr4": ipv4,
        "ipaddr6": ipv6,
        **values,
    }
    if pk is not None:
        values["id"] = pk
    return _make(PeeringDBNetIXLan, values, speed=10000, operational=True)
