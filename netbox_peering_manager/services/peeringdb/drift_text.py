"""What a drift says: one sentence from its kind and details, in the reader's language. Contacts are never named."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from ...choices import PeeringDBDriftChoices as Kind

__all__ = ("drift_text",)

Details = Mapping[str, Any]


def drift_text(kind: str, details: Details) -> str:
    """Return the sentence that tells a drift. KeyError for a kind that does not exist."""
    return _TEXTS[kind](details)


def _peer_address_gone(details: Details) -> str:
    return _("No network has {address} on this LAN in PeeringDB any more.").format(address=details["address"])


def _peer_asn_changed(details: Details) -> str:
    return _("In PeeringDB {address} belongs to AS{peeringdb_asn}, not to AS{asn}.").format(**details)


def _port_not_operational(details: Details) -> str:
    return _("The port with {address} is not operational in PeeringDB.").format(address=details["address"])


def _network_gone(details: Details) -> str:
    return _("AS{asn} was net {peeringdb_id} in PeeringDB and is not there any more.").format(**details)


def _max_prefixes_differ(details: Details) -> str:
    # Of a session alone the AS is told: a peer ASN is one.
    if "asn" in details:
        return _(
            "IPv{family}: the session's own limit is {ours}, AS{asn} announces up to {peeringdb} by PeeringDB."
        ).format(**details)
    text = _("IPv{family}: {ours} here, {peeringdb} in PeeringDB.").format(
        family=details["family"], ours=_or_none(details["ours"]), peeringdb=details["peeringdb"]
    )
    return f"{text} {_could_not_follow()}" if details["follows"] else text


def _as_set_differs(details: Details) -> str:
    text = _("{ours} here, {peeringdb} in PeeringDB.").format(
        ours=_or_none(details["ours"]), peeringdb=details["peeringdb"]
    )
    return f"{text} {_could_not_follow()}" if details["follows"] else text


def _contacts_gone(details: Details) -> str:
    return _(
        "AS{asn} had contacts in PeeringDB; none that you can see is left, and NetBox has none either."
    ).format(asn=details["asn"])


def _own_port_missing_here(details: Details) -> str:
    return _("AS{asn} has a port at {exchange} in PeeringDB, {addresses}, and no connection here.").format(
        asn=details["asn"],
        exchange=details["exchange"] or f"ix {details['ix_id']}",
        addresses=_listed(details["addresses"]),
    )


def _own_port_missing_there(details: Details) -> str:
    return _("PeeringDB has no port of ours with {addresses} on this LAN.").format(
        addresses=_listed(details["addresses"])
    )


def _prefix_changed(details: Details) -> str:
    return _("IPv{family}: {ours} here, {peeringdb} in PeeringDB.").format(
        family=details["family"], ours=details["ours"], peeringdb=_listed(details["peeringdb"])
    )


def _could_not_follow() -> str:
    return _("It follows PeeringDB, but this value could not be taken.")


def _listed(values: list[str]) -> str:
    return ", ".join(values) if values else _("no address")


def _or_none(value: Any) -> str:
    return str(value) if value not in (None, "") else _("none")


_TEXTS: dict[str, Callable[[Details], str]] = {
    Kind.PEER_ADDRESS_GONE: _peer_address_gone,
    Kind.PEER_ASN_CHANGED: _peer_asn_changed,
    Kind.PORT_NOT_OPERATIONAL: _port_not_operational,
    Kind.NETWORK_GONE: _network_gone,
    Kind.MAX_PREFIXES_DIFFER: _max_prefixes_differ,
    Kind.AS_SET_DIFFERS: _as_set_differs,
    Kind.CONTACTS_GONE: _contacts_gone,
    Kind.OWN_PORT_MISSING_HERE: _own_port_missing_here,
    Kind.OWN_PORT_MISSING_THERE: _own_port_missing_there,
    Kind.PREFIX_CHANGED: _prefix_changed,
}
