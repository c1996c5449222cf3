"""Joins and annotations of the plugin's models, each written once."""

from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db import models
from django.db.models import F, Func, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, IsNull
from django.utils import timezone

from utilities.querysets import RestrictedQuerySet

from .choices import DeploymentKindChoices
from .expressions import FromSessionTemplate, InheritsFromSessionTemplate, remote_as_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from dcim.models import Device

__all__ = (
    "DeploymentBatchQuerySet",
    "DeploymentQuerySet",
    "HiddenPeerQuerySet",
    "PeerASNQuerySet",
    "PeeringConnectionQuerySet",
    "PeeringDBDriftQuerySet",
    "PeeringFabricQuerySet",
    "PeeringNetworkQuerySet",
    "PeeringRouterQuerySet",
    "PeeringSessionQuerySet",
    "RemovedSessionQuerySet",
    "UnknownNeighborQuerySet",
    "count_with_remote_as",
)


def count_visible(model: str, path: str, user: "AbstractBaseUser | AnonymousUser") -> Coalesce:
    """
    Return an annotation: how many of the plugin's `model` that `user` may view have this row at `path`.

    A subquery per row and not a join, so that several counts do not multiply each other.
    """
    visible = apps.get_model("netbox_peering_manager", model).objects.restrict(user, "view").order_by()
    counted = visible.filter(**{path: OuterRef("pk")}).values(path).annotate(rows=models.Count("pk"))
    return Coalesce(Subquery(counted.values("rows")), 0)


class PeeringFabricQuerySet(RestrictedQuerySet):
    """Fabrics with what meets there."""

    def with_counts(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        """Annotate network_count, connection_count and session_count, of those that `user` may view."""
        return self.annotate(
            network_count=count_visible("PeeringNetwork", "fabric", user),
            connection_count=count_visible("PeeringConnection", "peering_network__fabric", user),
            session_count=count_visible("PeeringSession", "peering_network__fabric", user),
        )

    def with_city(self) -> Self:
        """Annotate `city`: that of the exchange in PeeringDB, None for a fabric that is none."""
        exchanges = apps.get_model("netbox_peering_manager", "PeeringDBIX").objects
        return self.annotate(city=Subquery(exchanges.filter(pk=OuterRef("peeringdb_id")).values("city")))


class PeeringNetworkQuerySet(RestrictedQuerySet):
    """LANs with what lies on them."""

    def with_parents(self) -> Self:
        """Join what naming a network and its prefixes takes, so that rows cost no further queries."""
        return self.select_related("fabric", "ipv4_prefix__vrf", "ipv6_prefix__vrf", "vlan")

    def with_counts(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        """Annotate connection_count and session_count, of those that `user` may view."""
        return self.annotate(
            connection_count=count_visible("PeeringConnection", "peering_network", user),
            session_count=count_visible("PeeringSession", "peering_network", user),
        )


class PeeringConnectionQuerySet(RestrictedQuerySet):
    """Our ports with what they join."""

    def with_parents(self) -> Self:
        """Join what naming a connection, its addresses and its BGP scope takes, so that rows cost no queries."""
        return self.select_related(
            "peering_network__fabric",
            "interface__device",
            "ipv4_address",
            "ipv6_address",
            "bgp_scope__router__asn",
            "bgp_scope__vrf",
        ).prefetch_related("bgp_scope__router__assigned_object")


class PeeringSessionQuerySet(RestrictedQuerySet):
    """Sessions with what their BGPPeer leads to."""

    def with_bgp(self) -> Self:
        """Join what lists and pages show of a session, so that its rows cost no further queries."""
        routing = apps.get_app_config("netbox_routing")
        templates = routing.get_model("BGPSessionTemplate").objects
        parents = templates.select_related(
            *(
                f"{generation}{field}__peer_asn"
                for generation in ("", "parent__", "parent__parent__")
                for field in ("remote_as", "local_as")
            )
        )
        return self.select_related(
            "configuration",
            "bgp_peer__peer",
            "bgp_peer__source",
            "bgp_peer__remote_as__peer_asn",
        ).prefetch_related(
            # What many sessions share is read once for all of them: joined, it would make each row many times as
            # wide, and be built anew for each.
            "relationship",
            models.Prefetch(
                "peering_network",
                apps.get_model("netbox_peering_manager", "PeeringNetwork").objects.select_related("fabric"),
            ),
            models.Prefetch(
                "bgp_peer__local_as", apps.get_model("ipam", "ASN").objects.select_related("peer_asn")
            ),
            models.Prefetch(
                "bgp_peer__scope",
                routing.get_model("BGPScope").objects.select_related("vrf", "router__asn__peer_asn"),
            ),
            "bgp_peer__scope__router__assigned_object",
            models.Prefetch(
                "bgp_peer__peer_group",
                routing.get_model("BGPPeerTemplate").objects.select_related("remote_as__peer_asn"),
            ),
            models.Prefetch(
                "bgp_peer__peer_session",
                templates.select_related("remote_as__peer_asn", "local_as__peer_asn"),
            ),
            # Asked for only where a template has a parent.
            models.Prefetch("bgp_peer__peer_session__parent", parents),
        )

    def with_state(self) -> Self:
        """Join what was last observed of each session: `state`, which a session that was never polled lacks."""
        return self.select_related("state")

    def for_device(self, device: "Device | int") -> Self:
        """Sessions on BGP routers that are assigned to `device` (an object or its id)."""
        return self.filter(bgp_peer__scope__router__device=device)

    def with_remote_as(self) -> Self:
        """Annotate `remote_as_id`: the BGPPeer's remote AS, else its session template's, else its peer group's."""
        return self.annotate(remote_as_id=remote_as_of("bgp_peer"))

    def with_local_as(self) -> Self:
        """Annotate `local_as_id`: the BGPPeer's local AS, else its session template's, else its BGP router's."""
        return self.annotate(
            local_as_id=Coalesce(
                "bgp_peer__local_as_id",
                FromSessionTemplate("bgp_peer__peer_session_id", field="local_as"),
                "bgp_peer__scope__router__asn_id",
            )
        )

    def with_enabled(self) -> Self:
        """Annotate `is_enabled`: the BGPPeer's switch, else its session template's or peer group's, else True."""
        return self.annotate(
            is_enabled=Coalesce(
                "bgp_peer__enabled",
                FromSessionTemplate("bgp_peer__peer_session_id", field="enabled"),
                "bgp_peer__peer_group__enabled",
                Value(True),
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

    def with_local_interface(self) -> Self:
        """Annotate `local_interface`: the name of the connection's interface, else of the source address's, else ""."""
        connections = apps.get_model("netbox_peering_manager", "PeeringConnection").objects.order_by()
        of_connection = connections.filter(pk=OuterRef("connection_id")).values("interface__name")
        return self.with_connection().annotate(
            local_interface=Coalesce(Subquery(of_connection), "bgp_peer__source__interface__name", Value(""))
        )


class RemovedSessionQuerySet(models.QuerySet):
    """Sessions deleted in NetBox that a router may still have."""

    def still_removed(self) -> Self:
        """
        Leave out those whose address has a session on the same device and VRF again; of a link-local address whose
        interface is known, on the same interface.
        """
        sessions = apps.get_model("netbox_peering_manager", "PeeringSession").objects.order_by()
        again = (
            sessions.with_local_interface()
            .annotate(vrf_name=Coalesce("bgp_peer__scope__vrf__name", Value("")))
            .filter(
                Q(local_interface=OuterRef("local_interface")) | Q(Exact(OuterRef("local_interface"), "")),
                bgp_peer__scope__router__device=OuterRef("device"),
                bgp_peer__peer__address__net_host=OuterRef("remote_ip"),
                vrf_name=OuterRef("vrf"),
            )
        )
        return self.exclude(models.Exists(again))

    def of_neighbors(self, neighbors: "Iterable[tuple[int, str, str, str]]") -> Self:
        """Those of these neighbours: device (id), VRF ("": none), address, interface of a link-local one."""
        wanted = Q(pk__in=())
        for device, vrf, remote_ip, local_interface in neighbors:
            wanted |= Q(device=device, vrf=vrf, remote_ip=remote_ip, local_interface=local_interface)
        return self.filter(wanted)


class PeerASNQuerySet(RestrictedQuerySet):
    """Peer ASNs with the sessions whose remote AS they are."""

    def with_counts(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        """Annotate `session_count`: sessions `user` may view whose remote AS (own or inherited) it is."""
        sessions = apps.get_model("netbox_peering_manager", "PeeringSession").objects.restrict(user, "view")
        return self.annotate(session_count=count_with_remote_as(sessions, OuterRef("asn")))

    def having_sessions(self, sessions: PeeringSessionQuerySet, having: bool = True) -> Self:
        """Keep those that are the remote AS of any of `sessions`; with having=False, those that are not."""
        found = Q()
        for held in _remote_as_is(OuterRef("asn")):
            found |= Q(models.Exists(sessions.filter(held)))
        return self.filter(found if having else ~found)


class HiddenPeerQuerySet(RestrictedQuerySet):
    """Networks that are not to be proposed as peers."""

    def in_force(self) -> Self:
        """Keep those that are hidden today (in NetBox's time zone)."""
        return self.filter(self._today())

    def with_standing(self) -> Self:
        """
        Annotate `network_name`, what PeeringDB's mirror calls the network (None when it does not know it), and
        `is_in_force`, whether it is hidden today.
        """
        networks = apps.get_model("netbox_peering_manager", "PeeringDBNet").objects.filter(
            asn=OuterRef("asn")
        )
        return self.annotate(
            network_name=Subquery(networks.order_by("pk").values("name")[:1]),
            is_in_force=models.ExpressionWrapper(self._today(), output_field=models.BooleanField()),
        )

    @staticmethod
    def _today() -> Q:
        return Q(until=None) | Q(until__gte=timezone.localdate())


class PeeringDBDriftQuerySet(models.QuerySet):
    """What disagrees with PeeringDB."""

    def restrict(self, user: "AbstractBaseUser | AnonymousUser", action: str = "view") -> Self:
        """Keep those whose object `user` may view (or, for another action, may act on)."""
        seen = Q(pk__in=())
        for name in ("PeerASN", "PeeringConnection", "PeeringNetwork", "PeeringSession"):
            model = apps.get_model("netbox_peering_manager", name)
            # By name, and not by content type id, so that nothing is looked up.
            seen |= Q(
                object_type__app_label=model._meta.app_label,
                object_type__model=model._meta.model_name,
                object_id__in=model.objects.restrict(user, action).order_by().values("pk"),
            )
        return self.filter(seen)

    def with_objects(self) -> Self:
        """Fetch the objects that rows are about, with what naming them takes: a fixed number of queries."""
        return self.select_related("object_type").prefetch_related(self.object_prefetch())

    def forget(self) -> None:
        """Delete these rows, in one query: nothing hangs on them and nobody listens, which delete() would find out."""
        self._raw_delete(self.db)

    @staticmethod
    def object_prefetch() -> GenericPrefetch:
        """How to fetch the objects of rows, all of one type at a time."""
        peers, connections, networks, sessions = (
            apps.get_model("netbox_peering_manager", name).objects
            for name in ("PeerASN", "PeeringConnection", "PeeringNetwork", "PeeringSession")
        )
        return GenericPrefetch(
            "object",
            [
                peers.select_related("asn"),
                connections.with_parents(),
                networks.with_parents(),
                sessions.with_bgp(),
            ],
        )


class DeploymentBatchQuerySet(models.QuerySet):
    """Deployments of several routers at once. They have no permissions of their own."""

    def restrict(self, user: "AbstractBaseUser | AnonymousUser", action: str = "view") -> Self:
        """Keep those that `user` asked for, or with a deployment that `user` may view (or may do `action` with)."""
        deployments = apps.get_model("netbox_peering_manager", "Deployment").objects
        seen = deployments.restrict(user, action).order_by().filter(batch=OuterRef("pk"))
        return self.filter(Q(user=user.pk, user__isnull=False) | Q(models.Exists(seen)))

    def with_counts(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        """Annotate `deployment_count`, and `done_count`, `failed_count`, `open_count`, of those `user` may view."""
        groups = {
            "deployment": Q(),
            "done": Q(status="done"),
            "failed": Q(status__in=("failed", "rolled-back")),
            "open": ~Q(status__in=("done", "rolled-back", "failed", "cancelled", "expired")),
        }
        visible = apps.get_model("netbox_peering_manager", "Deployment").objects.restrict(user, "view")
        here = visible.filter(batch=OuterRef("pk"))
        return self.annotate(
            **{f"{name}_count": Subquery(_count(here.filter(held))) for name, held in groups.items()}
        )


class DeploymentQuerySet(RestrictedQuerySet):
    """Deployments with their routers."""

    def with_router(self) -> Self:
        """Join what naming a deployment takes."""
        return self.select_related(
            "router__device__virtual_chassis", "router__device__device_type__manufacturer"
        )

    def with_people(self) -> Self:
        """Join what lists and pages show: the router, and who asked, approved and released."""
        return self.with_router().select_related("requested_by", "approved_by", "released_by")

    def without_texts(self) -> Self:
        """Leave out what only a deployment's own page shows; it is as long as a configuration."""
        return self.defer("encrypted_text", "masked_text", "sessions_before", "sessions_after")

    def of_sessions(self, *pks: int) -> Self:
        """Keep those that are about any of these sessions, by name or because they are about all of its router."""
        sessions = apps.get_model("netbox_peering_manager", "PeeringSession").objects.filter(pk__in=pks)
        devices = sessions.order_by().values("bgp_peer__scope__router__device")
        targets = apps.get_model("netbox_peering_manager", "DeploymentSession").objects.filter(
            session__in=pks
        )
        whole = Q(partial=False, router__device__in=devices) & ~Q(kind=DeploymentKindChoices.COMMANDS)
        return self.filter(whole | Q(pk__in=targets.order_by().values("deployment")))

    def with_neighbor(self, text: str) -> Self:
        """Keep those that are about a session whose address begins with `text`, or whose name holds it."""
        targets = apps.get_model("netbox_peering_manager", "DeploymentSession").objects
        found = targets.filter(Q(name__icontains=text) | Q(remote_ip__startswith=text))
        return self.filter(pk__in=found.order_by().values("deployment"))


class UnknownNeighborQuerySet(RestrictedQuerySet):
    """Neighbours that routers have and NetBox does not."""

    def restrict(self, user: "AbstractBaseUser | AnonymousUser", action: str = "view") -> Self:
        """Keep those of routers that `user` may view (or, for another action, may act on)."""
        routers = apps.get_model("netbox_peering_manager", "PeeringRouter").objects.restrict(user, action)
        return self.filter(router__in=routers.order_by().values("pk"))

    def with_router(self) -> Self:
        """Join what naming the router takes."""
        return self.select_related(
            "router__device__virtual_chassis", "router__device__device_type__manufacturer"
        )


class PeeringRouterQuerySet(RestrictedQuerySet):
    """Peering routers with the sessions on their devices."""

    def with_device(self) -> Self:
        """Join what naming a router takes, also one whose device has no name of its own."""
        return self.select_related("device__virtual_chassis", "device__device_type__manufacturer")

    def with_access(self) -> Self:
        """Join what services.devices.access needs to reach the routers."""
        return self.with_device().select_related(
            "device__platform", "device__primary_ip4", "device__primary_ip6"
        )

    def with_counts(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        """Annotate `session_count`: the sessions on the router's device that `user` may view."""
        device = "bgp_peer__scope__router__device"
        return self.annotate(session_count=count_visible("PeeringSession", f"{device}__peering_router", user))


def count_with_remote_as(
    sessions: PeeringSessionQuerySet, asn: "OuterRef | models.QuerySet"
) -> models.Expression:
    """Return an annotation: how many of `sessions` have the ipam.ASN id `asn` as their remote AS, own or inherited."""
    return sum((Subquery(_count(sessions.filter(held))) for held in _remote_as_is(asn)), start=Value(0))


def _remote_as_is(asn: "OuterRef | models.QuerySet") -> tuple[Q, Q, Q]:
    """
    Conditions for sessions whose remote AS is `asn`, one for each holder; a session fits at most one of them.

    What with_remote_as() says in one expression. Apart, each is a look-up in an index, which matters when it
    is made for each row of a list.
    """
    template, field = "bgp_peer__peer_session_id", {"field": "remote_as"}
    return (
        Q(bgp_peer__remote_as=asn),
        Q(InheritsFromSessionTemplate(template, asn, **field), bgp_peer__remote_as=None),
        Q(
            IsNull(FromSessionTemplate(template, **field), True),
            bgp_peer__remote_as=None,
            bgp_peer__peer_group__remote_as=asn,
        ),
    )


def _count(queryset: models.QuerySet) -> models.QuerySet:
    """Turn a queryset for a subquery into its number of rows: always one row, 0 when there are none."""
    counted = Func(F("pk"), function="Count", output_field=models.IntegerField())
    return queryset.order_by().annotate(rows=counted).values("rows")
