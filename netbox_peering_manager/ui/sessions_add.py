"""
Area `sessions`: what the preview and the result of adding many sessions show, as plain values.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from netbox_routing.choices.bgp import BGPStatusChoices

from ..choices import SkipReasonChoices
from ..models import PeeringSession
from ..services.provisioning.planned import MaxPrefixes, Password, Plan, PlannedObject, PlannedSession

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    User = AbstractBaseUser | AnonymousUser

__all__ = ("Added", "Preview", "added", "previewed")

# Rows that a page shows by itself; the others unfold.
SHOWN_AT_FIRST = 25

# One of a kind, and several; in the order in which they are told.
KINDS = {
    "rir": ngettext_lazy("{count} RIR", "{count} RIRs", "count"),
    "asn": ngettext_lazy("{count} ASN", "{count} ASNs", "count"),
    "peer_asn": ngettext_lazy("{count} peer ASN", "{count} peer ASNs", "count"),
    "address": ngettext_lazy("{count} IP address", "{count} IP addresses", "count"),
    "family": ngettext_lazy("{count} BGP address family", "{count} BGP address families", "count"),
}
NAMES = {
    "rir": gettext_lazy("RIR"),
    "asn": gettext_lazy("ASN"),
    "peer_asn": gettext_lazy("Peer ASN"),
    "address": gettext_lazy("IP address"),
    "family": gettext_lazy("Address family"),
}

# What the tables show of a PlannedSession and of a Skipped.
SESSION_FIELDS = (
    "asn",
    "peer",
    "is_route_server",
    "address",
    "source",
    "local_asn",
    "connection",
    "network",
    "relationship",
    "max_prefixes",
)
SKIPPED_FIELDS = ("asn", "peer", "address", "family", "connection", "text")


@dataclass(frozen=True)
class Rows:
    """Rows of a table, the first of them and those that unfold."""

    first: Sequence[Any]
    rest: Sequence[Any]

    @property
    def total(self) -> int:
        return len(self.first) + len(self.rest)


@dataclass(frozen=True)
class Count:
    """How many of something there are. `color` is that of a badge, "" for none."""

    label: str
    number: int
    color: str = ""


@dataclass(frozen=True)
class Preview:
    """What is shown before anything is made. `choices` are (label, value) pairs of those that every session gets."""

    sessions: Rows
    made: Sequence[str]
    reused: Sequence[str]
    made_objects: Rows
    reused_objects: Rows
    skipped: Rows
    reasons: Sequence[Count]
    choices: Sequence[tuple[str, str]]
    networks: int


@dataclass(frozen=True)
class Added:
    """What became of it."""

    sessions: Rows
    made: Sequence[str]
    reused: Sequence[str]
    skipped: Rows
    reasons: Sequence[Count]


def previewed(plan: Plan) -> Preview:
    """Return what the preview shows of a plan."""
    return Preview(
        sessions=_rows(_with_names(plan.sessions)),
        made=_kinds(Counter(item.kind for item in plan.made_objects)),
        reused=_kinds(Counter(item.kind for item in plan.reused_objects)),
        made_objects=_rows(_by_kind(plan.made_objects)),
        reused_objects=_rows(_by_kind(plan.reused_objects)),
        skipped=_rows([_with_reason(item.reason, _shown(item, SKIPPED_FIELDS)) for item in plan.skipped]),
        reasons=_reasons(item.reason for item in plan.skipped),
        choices=_in_words(plan),
        networks=len({session.asn for session in plan.sessions}),
    )


def added(data: Mapping[str, Any], user: "User") -> Added:
    """Return what the result shows of a job's outcome (planned.outcome()), with links to what `user` may view."""
    made = data["made"]
    visible = PeeringSession.objects.restrict(user, "view").filter(pk__in=[row["session_id"] for row in made])
    pks = set(visible.order_by().values_list("pk", flat=True))
    return Added(
        sessions=_rows([{**row, "url": _url_of(row["session_id"], pks)} for row in made]),
        made=_kinds(data["objects"]),
        reused=_kinds(data["reused"]),
        skipped=_rows([_with_reason(row["reason"], row) for row in data["skipped"]]),
        reasons=_reasons(row["reason"] for row in data["skipped"]),
    )


def _url_of(pk: int, visible: set[int]) -> str:
    return reverse("plugins:netbox_peering_manager:peeringsession", args=[pk]) if pk in visible else ""


def _rows(rows: Sequence[Any]) -> Rows:
    # Nobody unfolds a table for a handful of rows.
    cut = len(rows) if len(rows) <= SHOWN_AT_FIRST * 2 else SHOWN_AT_FIRST
    return Rows(rows[:cut], rows[cut:])


def _kinds(counted: Mapping[str, int]) -> list[str]:
    """As "3 ASNs" for each kind that there is any of."""
    return [
        (text % {"count": counted[kind]}).format(count=counted[kind])
        for kind, text in KINDS.items()
        if counted.get(kind)
    ]


def _with_names(sessions: Sequence[PlannedSession]) -> list[dict[str, Any]]:
    names = {kind: str(name) for kind, name in NAMES.items()}
    return [
        {**_shown(session, SESSION_FIELDS), "makes": ", ".join(names[kind] for kind in session.makes)}
        for session in sessions
    ]


def _shown(item: Any, fields: Sequence[str]) -> dict[str, Any]:
    """These fields as a dict: templates look into one several times as fast as into an object."""
    return {name: getattr(item, name) for name in fields}


def _by_kind(objects: Sequence[PlannedObject]) -> list[dict[str, Any]]:
    ordered = sorted(objects, key=lambda item: list(NAMES).index(item.kind))
    return [{"label": str(NAMES[item.kind]), "name": item.name, "details": item.details} for item in ordered]


def _with_reason(reason: str, item: Mapping[str, Any]) -> dict[str, Any]:
    label, color = _reason(reason)
    return {"label": label, "color": color, "item": item}


def _reason(reason: str) -> tuple[str, str]:
    labels = dict(SkipReasonChoices)
    return str(labels.get(reason, reason)), SkipReasonChoices.colors.get(reason, "gray")


def _reasons(reasons: Iterable[str]) -> list[Count]:
    counted = Counter(map(_reason, reasons))
    return [Count(label, number, color) for (label, color), number in counted.most_common()]


def _in_words(plan: Plan) -> list[tuple[str, str]]:
    choices = plan.choices
    limits = {
        MaxPrefixes.NONE: _("the peer ASN's limits"),
        MaxPrefixes.PEERINGDB: _("PeeringDB's, plus {percent} %").format(percent=choices.margin_percent),
    }
    passwords = {
        Password.NONE: _("none"),
        Password.GIVEN: _("the same for all, as entered"),
        Password.GENERATED: _("a new one for each session"),
    }
    status = dict(BGPStatusChoices).get(choices.status, choices.status)
    return [
        (_("Status"), f"{status}, {_('enabled') if choices.enabled else _('disabled')}"),
        (_("Max prefixes"), limits[choices.max_prefixes]),
        (_("Password"), passwords[choices.password]),
    ]
