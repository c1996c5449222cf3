"""Small mirrors of PeeringDB made by hand, beside our own side of them."""

from itertools import count

from django.utils import timezone

from netbox_peering_manager.models import (
    PeeringDBFac,
    PeeringDBIX,
    PeeringDBIXLan,
    PeeringDBNet,
    PeeringDBNetFac,
    PeeringDBNetIXLan,
    PeeringDBPoc,
)
from tests import factories

_ids = count(1000)
LAN = 1


def _row(model, **fields):
    """A row of the mirror, with PeeringDB's default in every field that is not given."""
    values = {"status": "ok", "updated": timezone.now(), "extra": {}}
    for field in model._meta.concrete_fields:
        if field.name not in values and not field.null and not field.primary_key:
            values[field.name] = [] if field.get_internal_type() == "ArrayField" else _default(field)
    return model.objects.create(**{**values, "id": next(_ids), **fields})


def _default(field):
    return {"TextField": "", "BooleanField": False}.get(field.get_internal_type(), 0)


def make_ix(pk=LAN, name="Example IX", rs_asn=None, **fields):
    """An exchange with one LAN of the same id."""
    exchange = _row(PeeringDBIX, id=pk, name=name, **fields)
    _row(PeeringDBIXLan, id=pk, ix_id=pk, rs_asn=rs_asn)
    return exchange


def make_lan(pk, ix_id, **fields):
    return _row(PeeringDBIXLan, id=pk, ix_id=ix_id, **fields)


def make_net(asn, **fields):
    return _row(PeeringDBNet, **{"asn": asn, "name": f"Network {asn}", **fields})


def make_port(net, ipv4=None, ipv6=None, lan=LAN, ix=None, **fields):
    """A network's port, operational; `net` is a PeeringDBNet, or an AS number whose net is made when missing."""
    if isinstance(net, int):
        net = PeeringDBNet.objects.filter(asn=net).first() or make_net(net)
    fields = {"operational": True, "speed": 10000, **fields}
    return _row(
        PeeringDBNetIXLan,
        net_id=net.pk,
        asn=net.asn,
        ixlan_id=lan,
        ix_id=ix or lan,
        ipaddr4=ipv4,
        ipaddr6=ipv6,
        **fields,
    )


def make_fac(name="Example House", **fields):
    return _row(PeeringDBFac, name=name, **fields)


def put_net_into(fac, net, **fields):
    return _row(PeeringDBNetFac, net_id=net.pk, fac_id=fac.pk, **{"local_asn": net.asn, **fields})


def make_contact(net, **fields):
    return _row(
        PeeringDBPoc, **{"net_id": net.pk, "role": "Policy", "email": "peering@example.net", **fields}
    )


def make_side(lan=LAN, name="Example IX", device="rt1.mtl", scope=True, number=1, **fields):
    """
    Our port on a LAN: 198.51.<lan>.<number> and 2001:db8:<lan>::<number>, on a fabric and network linked to PeeringDB.
    """
    fabric = factories.make_fabric(name, peeringdb_id=lan)
    network = fabric.networks.first() or factories.make_network(
        "LAN", fabric, ipv4=f"198.51.{lan}.0/24", ipv6=f"2001:db8:{lan:x}::/64", peeringdb_id=lan
    )
    device = factories.make_device(device)
    if scope:
        fields.setdefault("bgp_scope", factories.make_scope(device))
    return factories.make_connection(
        network,
        factories.make_interface(device, f"Ethernet{lan}.{number}"),
        ipv4=fields.pop("ipv4", f"198.51.{lan}.{number}/24"),
        ipv6=fields.pop("ipv6", f"2001:db8:{lan:x}::{number:x}/64"),
        **fields,
    )
