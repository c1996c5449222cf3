"""Area `fabrics`: REST endpoints of exchanges in PeeringDB, and of the import of our own ports."""

from typing import Any

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    OpenApiTypes,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from netbox.api.viewsets.mixins import discard_events_on_rollback
from users.models import Token

from ...exceptions import ExchangeError
from ...models import PeeringDBIX, PeeringFabric
from ...services.peeringdb.drift import refresh_drift
from ...services.peeringdb.mirrored import search_exchanges, with_network_count
from ...services.peeringdb.presence import Imported, Presence, import_presence, plan_presence
from ..serializers import ExchangeSerializer, ImportedSerializer, ImportPresenceSerializer

__all__ = ("ExchangeViewSet", "ImportPresenceView")

APP = "netbox_peering_manager"


class _Permission(BasePermission):
    """One of `rights`, and for what changes something a token that may write."""

    rights: tuple[str, ...] = ()

    def has_permission(self, request: Request, view: Any) -> bool:
        if (
            isinstance(request.auth, Token)
            and request.method not in SAFE_METHODS
            and not request.auth.write_enabled
        ):
            return False
        return any(request.user.has_perm(right) for right in self.rights)


class MayUseExchanges(_Permission):
    rights = (f"{APP}.add_peeringfabric", f"{APP}.view_peeringfabric")


class MayImport(_Permission):
    rights = (f"{APP}.add_peeringconnection",)


Q = OpenApiParameter("q", str, description="Words of its name, long name, other name or city, or its id")


@extend_schema_view(list=extend_schema(parameters=[Q]))
class ExchangeViewSet(mixins.ListModelMixin, GenericViewSet):
    """
    Exchanges of PeeringDB's mirror, for who may view or add fabrics. Their ids are PeeringDB's.

    Answers as NetBox's own lists do, so that its search-as-you-type fields can ask it.
    """

    queryset = PeeringDBIX.objects.order_by("name", "pk")
    serializer_class = ExchangeSerializer
    permission_classes = [MayUseExchanges]

    def get_queryset(self) -> QuerySet:
        found = search_exchanges(self.request.query_params.get("q", ""))
        visible = PeeringFabric.objects.restrict(self.request.user, "view").order_by()
        fabrics = visible.filter(peeringdb_id=OuterRef("pk")).values("pk")
        return with_network_count(found).annotate(fabric_id=Subquery(fabrics))


class ImportPresenceView(APIView):
    """
    Import the ports that our AS have in PeeringDB as fabrics, networks and connections, all or nothing.

    Needs `add` on peering connections, and `add` or `change` on whatever is made or changed.
    """

    permission_classes = [MayImport]

    @extend_schema(
        operation_id="peering_manager_import_presence",
        request=ImportPresenceSerializer,
        responses={
            200: ImportedSerializer,
            400: OpenApiResponse(OpenApiTypes.OBJECT, description="Why it is refused. Nothing was made."),
        },
    )
    def post(self, request: Request) -> Response:
        serializer = ImportPresenceSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        wanted = serializer.validated_data
        chosen = {"peer_asns": wanted.get("peer_asns"), "vrf": wanted.get("vrf"), "user": request.user}
        if wanted["dry_run"]:
            return self._answer(plan_presence(**chosen))
        try:
            with transaction.atomic(), discard_events_on_rollback(self):
                imported = import_presence(**chosen)
        except ExchangeError as error:
            detail = {name or "non_field_errors": told for name, told in error.errors.items()}
            raise ValidationError(detail) from error
        if imported.is_something:
            refresh_drift()
        return self._answer(imported.plan, imported)

    @staticmethod
    def _answer(plan: Presence, imported: Imported | None = None) -> Response:
        return Response(ImportedSerializer(_told(plan, imported)).data)


def _told(plan: Presence, imported: Imported | None) -> dict[str, Any]:
    """What ImportedSerializer shows."""
    fabrics = {row.peeringdb_id: row.pk for row in imported.fabrics} if imported else {}
    networks = {row.peeringdb_id: row.pk for row in imported.networks} if imported else {}
    connections = {row.peeringdb_id: row.pk for row in imported.connections} if imported else {}
    ports = plan.ports
    return {
        "dry_run": imported is None,
        "asns": plan.asns,
        "fabrics": [
            {
                "ix_id": fabric.ix_id,
                "id": fabric.fabric_id or fabrics.get(fabric.ix_id),
                "name": fabric.name,
                "action": "create" if fabric.is_new else "link" if fabric.links else "none",
            }
            for fabric in plan.writable
        ],
        "networks": [
            {
                "ixlan_id": network.ixlan_id,
                "id": network.network_id or networks.get(network.ixlan_id),
                "name": network.name,
                "action": _action_of(network),
                "mtu": network.mtu,
                "prefixes": network.prefixes,
                "prefixes_left": network.left,
            }
            for network in plan.networks
        ],
        "connections": [
            _port(
                each,
                id=each.connection_id or connections.get(each.port.netixlan_id),
                interface=each.interface.id,
                action="create" if each.is_new else "complete",
                missing=[str(missing) for missing in each.lacking],
            )
            for each in ports.planned
        ],
        "present": [
            _port(
                each,
                id=each.connection_id if each.visible else None,
                missing=[str(missing) for missing in each.lacking],
                problems=each.notes,
            )
            for each in ports.here
        ],
        "waiting": [
            _port(each, missing=[str(missing) for missing in each.missing]) for each in ports.waiting
        ],
        "conflicts": [
            _port(each, problems=[problem.text for problem in each.problems]) for each in ports.conflicts
        ],
    }


def _action_of(network: Any) -> str:
    if network.is_new:
        return "create"
    return "link" if network.links else "complete" if network.changes else "none"


def _port(each: Any, **values: Any) -> dict[str, Any]:
    return {
        "netixlan_id": each.port.netixlan_id,
        "asn": each.port.asn,
        "exchange": each.place.exchange,
        "addresses": each.port.texts,
        "id": None,
        "interface": None,
        "action": "none",
        "missing": [],
        "problems": [],
        **values,
    }


routes = (("peeringdb/exchanges", ExchangeViewSet),)
