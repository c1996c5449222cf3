"""Joins and annotations of the plugin's models, each written once."""

from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import models
from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from utilities.querysets import RestrictedQuerySet

if TYPE_CHECKING:
    from dcim.models import Device

__all__ = ("PeeringSessionQuerySet", "RemovedSessionQuerySet")


class PeeringSessionQuerySet(RestrictedQuerySet):
    """Sessions with what their BGPPeer leads to."""

    def with_bgp(self) -> Self:
        """Join what lists and pages show of a session, so that its rows cost no further queries."""
        return self.select_related(
            "relationship",
            "peering_network__fabric",
            "bgp_peer__peer",
            "bgp_peer__source",
            "bgp_peer__remote_as__peer_asn",
            "bgp_peer__local_as__peer_asn",
            "bgp_peer__peer_group__remote_as__peer_asn",
            "bgp_peer__peer_session__remote_as__peer_asn",
            "bgp_peer__peer_session__local_as__peer_asn",
            "bgp_peer__scope__vrf",
            "bgp_peer__scope__router__asn__peer_asn",
        ).prefetch_related("bgp_peer__scope__router__assigned_object")

    def for_device(self, device: "Device | int") -> Self:
        """Sessions on BGP routers that are assigned to `device` (an object or its id)."""
        return self.filter(bgp_peer__scope__router__device=device)

    def with_remote_as(self) -> Self:
        """Annotate `remote_as_id`: the BGPPeer's remote AS, else its session template's, else its peer group's."""
        return self.annotate(
            remote_as_id=Coalesce(
                "bgp_peer__remote_as_id", "bgp_peer__peer_session__remote_as_id", "bgp_peer__peer_group__remote_as_id"
            )
        )

    def with_local_as(self) -> Self:
        """Annotate `local_as_id`: the BGPPeer's local AS, else its session template's, else its BGP router's."""
        return self.annotate(
            local_as_id=Coalesce(
                "bgp_peer__local_as_id", "bgp_peer__peer_session__local_as_id", "bgp_peer__scope__router__asn_id"
            )
        )

    def with_enabled(self) -> Self:
        """Annotate `is_enabled`: the BGPPeer's switch, else its session template's or peer group's, else True."""
        return self.annotate(
            is_enabled=Coalesce(
                "bgp_peer__enabled", "bgp_peer__peer_session__enabled", "bgp_peer__peer_group__enabled", Value(True)
            )
        )

    def for_local_as(self, *asn_ids: int) -> Self:
        """Sessions whose local AS, own or inherited, is one of these ipam.ASN ids."""
        return self.with_local_as().filter(local_as_id__in=asn_ids)

    def for_remote_as(self, *asn_ids: int) -> Self:
        """Sessions whose remote AS, own or inherited, is one of these ipam.ASN ids."""
        return self.with_remote_as().filter(remote_as_id__in=asn_ids)

    def with_connection(self) -> Self:
        """
        Annotate `connection_id`: our port that the session runs over, None when there is none.

        The connection that has the session's source address; else the only one of its device on its network.
        """
        connections = apps.get_model("netbox_peering_manager", "PeeringConnection").objects.order_by()
        by_source = connections.filter(
            Q(ipv4_address=OuterRef("bgp_peer__source")) | Q(ipv6_address=OuterRef("bgp_peer__source")),
            peering_network=OuterRef("peering_network"),
        )
        on_network = (
            connections.filter(
                peering_network=OuterRef("peering_network"),
                interface__device__bgp_router=OuterRef("bgp_peer__scope__router"),
            )
            .values("peering_network")
            .annotate(ports=models.Count("pk"), only=models.Min("pk"))
            .filter(ports=1)
        )
        return self.annotate(
            connection_id=Coalesce(
                Subquery(by_source.values("pk")[:1]), Subquery(on_network.values("only")[:1])
            )
        )


class RemovedSessionQuerySet(models.QuerySet):
    """Sessions deleted in NetBox that a router may still have."""

    def still_removed(self) -> Self:
        """Leave out those whose address has a session on the same device and VRF again."""
        sessions = apps.get_model("netbox_peering_manager", "PeeringSession").objects.order_by()
        again = sessions.filter(
            bgp_peer__scope__router__device=OuterRef("device"),
            bgp_peer__peer__address__net_host=OuterRef("remote_ip"),
        ).filter(
            Q(bgp_peer__scope__vrf__name=OuterRef("vrf"))
            | Q(bgp_peer__scope__vrf__isnull=True, remembered_vrf="")
        )
        return self.exclude(models.Exists(again.annotate(remembered_vrf=OuterRef("vrf"))))
