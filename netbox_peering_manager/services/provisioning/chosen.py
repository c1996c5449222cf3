"""The objects behind the choices for many sessions (`planned.Choices`), as far as the user may see them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from extras.models import Tag
from ipam.models import IPAddress
from netbox_routing.choices.bgp import BGPStatusChoices
from netbox_routing.models import BFDProfile, BGPPeerTemplate

from ...exceptions import ProvisioningError
from ...models import PeerASN, PeeringConnection, PeeringSession, Relationship
from .candidates import usable_connections as proposed_connections
from .new import FAMILIES, NewSession, usable_connections
from .planned import Choices, MaxPrefixes, Password

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

# Nobody's limit is more than some times what PeeringDB suggests.
MOST_MARGIN_PERCENT = 1000


@dataclass(frozen=True, slots=True)
class Chosen:
    """The choices as objects. `connections` are by the PeeringDB id of their LAN, each joined with all that is read."""

    choices: Choices
    relationship: Relationship
    route_server_relationship: Relationship
    local_as: PeerASN | None
    peer_group: BGPPeerTemplate | None
    bfd: BFDProfile | None
    tags: tuple[Tag, ...]
    connections: dict[int, list[PeeringConnection]]

    def new_session(
        self,
        connection: PeeringConnection,
        *,
        asn: int,
        address: str,
        family: int,
        limit: int | None,
        is_route_server: bool,
        name: str = "",
        password: str = "",
    ) -> NewSession:
        """Return the session of one peer as it was chosen for all of them."""
        limits: dict[str, Any] = {f"ipv{family}_max_prefixes": limit}
        return NewSession(
            relationship=self.route_server_relationship if is_route_server else self.relationship,
            remote_asn=asn,
            remote_ip=address,
            connection=connection,
            local_as=self.local_as,
            peer_group=self.peer_group,
            bfd=self.bfd,
            ttl=self.choices.ttl,
            name=name,
            description=self.choices.description,
            status=self.choices.status,
            enabled=self.choices.enabled,
            service_reference=self.choices.service_reference,
            is_route_server=is_route_server,
            password=password,
            tags=self.tags,
            **limits,
        )


def load_chosen(choices: Choices, user: "AbstractBaseUser | None", lans: Collection[int] = ()) -> Chosen:
    """
    Return the objects that are chosen, with the connections on `lans` (PeeringDB ids) when none is named.

    What `user` may not view is told as what does not exist; with no user everything is there. ProvisioningError says
    which choices are wrong, all at once, by the fields of Choices.
    """
    seen = _Seen(user)
    errors = seen.errors
    relationship, of_route_servers = seen.relationships(choices)
    chosen = {
        "local_as": seen.one(PeerASN, choices.local_as, "local_as"),
        "peer_group": seen.one(BGPPeerTemplate, choices.peer_group, "peer_group"),
        "bfd": seen.one(BFDProfile, choices.bfd, "bfd"),
        "tags": tuple(seen.several(Tag, choices.tags, "tags")),
    }
    _check_tags(chosen["tags"], errors)
    connections = _connections(choices, seen, lans)
    _check_values(choices, errors)
    if errors:
        raise ProvisioningError(errors)
    return Chosen(choices, relationship, of_route_servers, connections=connections, **chosen)


class _Seen:
    """Finds objects that a user may view, and keeps what is wrong with those that are not found."""

    def __init__(self, user: "AbstractBaseUser | None"):
        self.user = user
        self.errors: dict[str | None, list[str]] = {}

    def restricted(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.restrict(self.user, "view") if self.user is not None else queryset  # type: ignore[attr-defined]

    def relationships(self, choices: Choices) -> tuple[Any, Any]:
        """That of all sessions, and that of route servers."""
        of_all, of_servers = choices.relationship, choices.route_server_relationship or choices.relationship
        rows = self.restricted(Relationship.objects.filter(pk__in={of_all, of_servers}))
        found = {row.pk: row for row in rows}
        for pk, field in ((of_all, "relationship"), (of_servers, "route_server_relationship")):
            if pk not in found and (field == "relationship" or pk != of_all):
                self.refuse(field, Relationship, [pk])
        return found.get(of_all), found.get(of_servers)

    def refuse(self, field: str, model: type[Model], pks: Iterable[int]) -> None:
        message = _("There is no {kind} with the ID {ids}.").format(
            kind=model._meta.verbose_name, ids=", ".join(map(str, sorted(pks)))
        )
        self.errors.setdefault(field, []).append(message)

    def one(self, model: type[Model], pk: int | None, field: str) -> Any:
        return None if pk is None else next(iter(self.several(model, (pk,), field)), None)

    def several(
        self, model: type[Model], pks: Sequence[int], field: str, rows: QuerySet[Any] | None = None
    ) -> list[Any]:
        if not pks:
            return []
        queryset = model._default_manager.all() if rows is None else rows
        if model is PeerASN:
            queryset = queryset.select_related("asn")
        found = list(self.restricted(queryset).filter(pk__in=pks))
        if missing := set(pks) - {row.pk for row in found}:
            self.refuse(field, model, missing)
        return found


def _connections(choices: Choices, seen: _Seen, lans: Collection[int]) -> dict[int, list[PeeringConnection]]:
    rows = usable_connections().filter(peering_network__peeringdb_id__isnull=False)
    rows = rows.prefetch_related("bgp_scope__router__assigned_object").order_by("pk")
    if choices.connections:
        found = seen.several(PeeringConnection, choices.connections, "connections", rows)
    else:
        on_lans = Q(peering_network__peeringdb_id__in=lans)
        found = list(rows.filter(on_lans, pk__in=_proposed(seen.user).values("pk")))
    connections: dict[int, list[PeeringConnection]] = {}
    for connection in found:
        if connection.ipv6_address is not None:
            # Nobody's IPv4 address: spares PeeringSession.clean() from looking for the connection that has it.
            IPAddress._meta.get_field("ipv4_peering_connection").set_cached_value(
                connection.ipv6_address, None
            )
        connections.setdefault(connection.peering_network.peeringdb_id, []).append(connection)
    return connections


def _proposed(user: "AbstractBaseUser | None") -> QuerySet[Any]:
    return PeeringConnection.objects.all() if user is None else proposed_connections(user)


def _check_tags(tags: Collection[Tag], errors: dict[str | None, list[str]]) -> None:
    """As extras.signals.validate_assigned_tags, which is asked when tags are set one object at a time."""
    if not tags:
        return
    limited = Tag.objects.filter(pk__in=[tag.pk for tag in tags], object_types__isnull=False)
    fitting = limited.filter(object_types=ContentType.objects.get_for_model(PeeringSession))
    for tag in limited.exclude(pk__in=fitting.values("pk")).distinct():
        message = _("The tag {tag} cannot be given to peering sessions.").format(tag=tag)
        errors.setdefault("tags", []).append(message)


def _check_values(choices: Choices, errors: dict[str | None, list[str]]) -> None:
    if not choices.families or not set(choices.families) <= set(FAMILIES):
        errors["families"] = [_("Choose IPv4, IPv6 or both.")]
    if choices.status not in BGPStatusChoices.values():
        errors["status"] = [_("{status} is no status of a BGP peer.").format(status=choices.status)]
    if not 0 <= choices.margin_percent <= MOST_MARGIN_PERCENT:
        errors["margin_percent"] = [
            _("The margin is a percentage from 0 to {most}.").format(most=MOST_MARGIN_PERCENT)
        ]
    elif choices.margin_percent and choices.max_prefixes is MaxPrefixes.NONE:
        errors["margin_percent"] = [
            _("A margin is added to PeeringDB's limits: choose these, or leave it out.")
        ]
    if choices.password is Password.GIVEN and not choices.password_token:
        errors["password"] = [_("Enter the password that all sessions are to have.")]
