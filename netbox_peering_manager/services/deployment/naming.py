"""Which neighbours a deployment has brought to a router, and which a rendered text leaves out."""

import ipaddress
from collections.abc import Collection, Iterable

from ...models import Deployment
from .mentions import addresses_in

__all__ = ("named_by", "unnamed_in")


def named_by(deployment_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """
    Return, by the ids of deployments, the addresses that their texts name or that were neighbours of the router
    afterwards. One query, none without ids. A deployment whose text is not kept is not among them.
    """
    if not deployment_ids:
        return {}
    rows = Deployment.objects.filter(pk__in=deployment_ids).exclude(masked_text="")
    return {
        pk: addresses_in(text) | _canonical(each["remote_ip"] for each in after or ())
        for pk, text, after in rows.order_by().values_list("pk", "masked_text", "sessions_after")
    }


def unnamed_in(text: str, addresses: Iterable[str]) -> list[str]:
    """Return those addresses that `text` does not name, as ipaddress spells them, sorted."""
    return sorted(_canonical(addresses) - addresses_in(text))


def _canonical(addresses: Iterable[str]) -> frozenset[str]:
    return frozenset(str(ipaddress.ip_address(address)) for address in addresses)
