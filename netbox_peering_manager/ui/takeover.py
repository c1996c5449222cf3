"""Area `routers`: what the preview and the result of importing sessions show, as plain values; and the button there."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy, ngettext_lazy

from netbox.object_actions import ObjectAction

from ..choices import ImportReasonChoices
from ..models import PeeringSession
from ..services.takeover.planned import Different, Plan
from .sessions_add import KINDS as SESSION_KINDS
from .sessions_add import NAMES as SESSION_NAMES
from .sessions_add import SHOWN_AT_FIRST, Count, Rows

__all__ = ("ImportSessions", "Imported", "Preview", "imported", "previewed")

KINDS = {
    "bgp_router": ngettext_lazy("{count} BGP router", "{count} BGP routers", "count"),
    "scope": ngettext_lazy("{count} BGP scope", "{count} BGP scopes", "count"),
    "peer_group": ngettext_lazy("{count} peer group", "{count} peer groups", "count"),
    "route_map": ngettext_lazy("{count} route map", "{count} route maps", "count"),
    "bfd": ngettext_lazy("{count} BFD profile", "{count} BFD profiles", "count"),
    **SESSION_KINDS,
}
NAMES = {
    "bgp_router": gettext_lazy("BGP router"),
    "scope": gettext_lazy("BGP scope"),
    "peer_group": gettext_lazy("Peer group"),
    "route_map": gettext_lazy("Route map"),
    "bfd": gettext_lazy("BFD profile"),
    **SESSION_NAMES,
}
# What is found by its name, whatever it holds.
BY_NAME = ("peer_group", "route_map", "bfd")
# What differs, in words.
FIELDS = {
    "remote_asn": gettext_lazy("Remote AS"),
    "local_asn": gettext_lazy("Local AS"),
    "local_ip": gettext_lazy("Our address"),
    "description": gettext_lazy("Description"),
    "enabled": gettext_lazy("Enabled"),
    "peer_group": gettext_lazy("Peer group"),
    "ttl": gettext_lazy("TTL"),
    "bfd": gettext_lazy("BFD profile"),
    "password": gettext_lazy("Password"),
    "ipv4_max_prefixes": gettext_lazy("IPv4 max prefixes"),
    "ipv6_max_prefixes": gettext_lazy("IPv6 max prefixes"),
    "family": gettext_lazy("Address family"),
    "routemap_in": gettext_lazy("Inbound route map"),
    "routemap_out": gettext_lazy("Outbound route map"),
}


class ImportSessions(ObjectAction):
    """The button to the import, on the page of a router, for who may import its sessions."""

    name = "import_sessions"
    label = gettext_lazy("Import sessions")
    permissions_required = {"import_sessions"}
    url_kwargs = ["pk"]
    template_name = "netbox_peering_manager/fabrics/action_button.html"

    @classmethod
    def get_context(cls, context: Any, obj: Any) -> dict[str, Any]:
        return {"icon": "mdi-import"}


@dataclass(frozen=True)
class Preview:
    """What is shown before anything is made."""

    new: Rows
    different: Rows
    same: Rows
    left_out: Rows
    absent: Rows
    made: Sequence[str]
    made_objects: Rows
    used_objects: Rows
    reasons: Sequence[Count]
    unread: Sequence[str]
    can_change: bool


@dataclass(frozen=True)
class Imported:
    """What became of it."""

    made: Rows
    changed: Rows
    left_out: Rows
    objects: Sequence[str]
    reasons: Sequence[Count]


def previewed(plan: Plan, visible: set[int]) -> Preview:
    """Return what the preview shows of a plan; `visible` are the ids of the sessions that the user may open."""
    names = {kind: str(name) for kind, name in NAMES.items()}
    new = [
        {**_shown(each), "makes": ", ".join(dict.fromkeys(names[kind] for kind in each.makes))}
        for each in plan.new
    ]
    objects = [
        {
            "label": names[each.kind],
            "name": each.name,
            "details": each.details,
            "kind": each.kind,
            "pk": each.pk,
        }
        for each in sorted(plan.objects, key=lambda each: list(NAMES).index(each.kind))
    ]
    return Preview(
        new=_rows(new),
        different=_rows([_different(each, visible) for each in plan.different]),
        same=_rows([{**_shown(each), "url": _url(each.session_id, visible)} for each in plan.same]),
        left_out=_rows(_left_out(_shown(each) for each in plan.left_out)),
        absent=_rows([{"name": each.name, "url": _url(each.session_id, visible)} for each in plan.absent]),
        made=_counted(Counter(each.kind for each in plan.made_objects)),
        made_objects=_rows([each for each in objects if each["pk"] is None]),
        used_objects=_rows([each for each in objects if each["pk"] is not None and each["kind"] in BY_NAME]),
        reasons=_reasons(each.reason for each in plan.left_out),
        unread=plan.unread,
        can_change=any(_can_take(each) for each in plan.different),
    )


def imported(data: Mapping[str, Any], user: Any) -> Imported:
    """Return what the result shows of a job's outcome (Outcome.as_data()), with links to what `user` may view."""
    done = [*data["made"], *data["changed"]]
    visible = visible_sessions(user, [row["session_id"] for row in done])
    changed = [{**row, "fields": ", ".join(map(_field_in_words, row["changed"]))} for row in data["changed"]]
    return Imported(
        made=_rows(_linked(data["made"], visible)),
        changed=_rows(_linked(changed, visible)),
        left_out=_rows(_left_out(data["left_out"])),
        objects=_counted(data["objects"]),
        reasons=_reasons(row["reason"] for row in data["left_out"]),
    )


def visible_sessions(user: Any, pks: Sequence[int]) -> set[int]:
    """Return those of the sessions that `user` may view. One query, none without sessions."""
    if not pks:
        return set()
    rows = PeeringSession.objects.restrict(user, "view").filter(pk__in=pks)
    return set(rows.order_by().values_list("pk", flat=True))


def _shown(item: Any) -> dict[str, Any]:
    """As a dict, with the neighbour's values in it: templates look into one several times as fast as into an object."""
    values = {name: getattr(item, name) for name in item.__slots__}
    neighbor = values.pop("neighbor")
    return {**values, **{name: getattr(neighbor, name) for name in neighbor.__slots__}}


def _different(item: Different, visible: set[int]) -> dict[str, Any]:
    rows = [
        {
            "label": f"{FIELDS[each.name]} ({each.afi})" if each.afi else str(FIELDS[each.name]),
            **asdict(each),
        }
        for each in item.differences
    ]
    return {
        **_shown(item),
        "differences": rows,
        "can_take": _can_take(item),
        "url": _url(item.session_id, visible),
    }


def _can_take(item: Different) -> bool:
    return any(each.can_take for each in item.differences)


def _field_in_words(name: str) -> str:
    field, _space, afi = name.partition(" ")
    return f"{FIELDS[field]} ({afi})" if afi else str(FIELDS[field])


def _linked(rows: Iterable[Mapping[str, Any]], visible: set[int]) -> list[dict[str, Any]]:
    return [{**row, **row["neighbor"], "url": _url(row["session_id"], visible)} for row in rows]


def _left_out(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    labels = dict(ImportReasonChoices)
    return [
        {
            **row,
            **row.get("neighbor", {}),
            "label": labels.get(row["reason"], row["reason"]),
            "color": ImportReasonChoices.colors.get(row["reason"], "gray"),
        }
        for row in rows
    ]


def _reasons(reasons: Iterable[str]) -> list[Count]:
    labels = dict(ImportReasonChoices)
    return [
        Count(str(labels.get(reason, reason)), number, ImportReasonChoices.colors.get(reason, "gray"))
        for reason, number in Counter(reasons).most_common()
    ]


def _counted(counted: Mapping[str, int]) -> list[str]:
    """As "3 ASNs" for each kind that there is any of."""
    return [
        (text % {"count": counted[kind]}).format(count=counted[kind])
        for kind, text in KINDS.items()
        if counted.get(kind)
    ]


def _rows(rows: Sequence[Any]) -> Rows:
    # Nobody unfolds a table for a handful of rows.
    cut = len(rows) if len(rows) <= SHOWN_AT_FIRST * 2 else SHOWN_AT_FIRST
    return Rows(rows[:cut], rows[cut:])


def _url(pk: int, visible: set[int]) -> str:
    return reverse("plugins:netbox_peering_manager:peeringsession", args=[pk]) if pk in visible else ""
