"""
What was chosen in a list of possible peers: by its check boxes, or all that match its filters.

The lists post `pk` (ids of netixlans) or `_all`, with the filters as the query of the address, and `fabric` or
`peer_asn`, the id of the object whose tab it was. The ranking posts neither; it chooses networks by `asn`.
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.shortcuts import get_object_or_404

from ..filtersets import AvailablePortFilterSet, RankedNetworkFilterSet
from ..models import PeerASN, PeeringDBNetIXLan, PeeringFabric
from ..services.provisioning.candidates import available_ports
from ..services.provisioning.ranking import ranked_networks
from ..services.provisioning.standing import hides

__all__ = ("origin_of", "selected_asns", "selected_ports", "shown")

NUMBER_DIGITS = 18


def shown(ports: QuerySet, request: HttpRequest | None = None) -> QuerySet:
    """Return those of available_ports() that a list shows without any filter."""
    return AvailablePortFilterSet(QueryDict(), ports, request=request).qs


def origin_of(request: HttpRequest) -> dict[str, Any]:
    """
    Return where the choice was made, as arguments of available_ports(): {"fabric": …}, {"asn": …} or {}.

    Http404 when that object does not exist or may not be seen.
    """
    if fabric := _number(request.POST.get("fabric")):
        return {"fabric": get_object_or_404(PeeringFabric.objects.restrict(request.user, "view"), pk=fabric)}
    if peer := _number(request.POST.get("peer_asn")):
        peers = PeerASN.objects.restrict(request.user, "view").select_related("asn")
        return {"asn": get_object_or_404(peers, pk=peer)}
    return {}


def selected_ports(request: HttpRequest) -> list[int]:
    """
    Return the ids of the chosen netixlans, ascending.

    Networks chosen by `asn`, or all of the ranking, stand for their ports that the ranking counts. Whether a port lacks
    a session is not asked of those chosen by `pk`.
    """
    if "_all" not in request.POST and "asn" not in request.POST:
        return sorted(_numbers(request.POST.getlist("pk")))
    origin = origin_of(request)
    if "_all" in request.POST and origin:
        ports = AvailablePortFilterSet(
            request.GET, available_ports(request.user, **origin), request=request
        ).qs
    else:
        ports = _ports_of(_networks(request), request.user, origin)
    return list(ports.order_by("pk").values_list("pk", flat=True))


def selected_asns(request: HttpRequest) -> list[int]:
    """Return the AS numbers of the chosen ports or networks, ascending, each once."""
    if "asn" in request.POST or ("_all" in request.POST and not origin_of(request)):
        return sorted(_networks(request))
    ports = PeeringDBNetIXLan.objects.filter(pk__in=selected_ports(request))
    return list(ports.order_by("asn").values_list("asn", flat=True).distinct())


def _ports_of(asns: set[int], user: Any, origin: dict[str, Any]) -> QuerySet:
    """
    The ports of networks that were chosen. One that is hidden everywhere was chosen all the same, by who may view that;
    on a fabric where it is hidden it was not.
    """
    on_fabric = hides(OuterRef("ixlan_id")).filter(fabric__isnull=False)
    ports = available_ports(user, **origin).filter(asn__in=asns, is_own=False, operational=True)
    return ports.filter(Q(is_hidden=False) | Q(hidden_id__isnull=False)).exclude(Exists(on_fabric))


def _networks(request: HttpRequest) -> set[int]:
    if "_all" not in request.POST:
        return _numbers(request.POST.getlist("asn"))
    ranked = RankedNetworkFilterSet(request.GET, ranked_networks(request.user), request=request).qs
    return set(ranked.values_list("asn", flat=True))


def _number(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > NUMBER_DIGITS:
        raise Http404
    return int(text)


def _numbers(texts: list[str]) -> set[int]:
    return {number for text in texts if (number := _number(text)) is not None}
