"""Area `peeringdb`: the tabs that its pages share, and what the page of a sync shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.template.defaultfilters import linebreaksbr
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from netbox.ui import attrs, panels

from ..choices import PeeringDBFieldChoices
from ..models import MIRROR, PeeringDBDrift, PeeringDBSync
from ..services.peeringdb.status import NAMES, Affected
from ..services.permissions import is_unconstrained

__all__ = (
    "AffectedRow",
    "AppliedPanel",
    "CountsPanel",
    "SyncPanel",
    "Tab",
    "affected_rows",
    "sees_drift",
    "sees_refused",
    "tabs",
)

APP = "netbox_peering_manager"
VIEW = f"{APP}.view_peeringdbsync"
# Any of these opens the list of drift; a row shows with its object.
DRIFT_SEEN_WITH = tuple(
    f"{APP}.view_{model}" for model in ("peeringsession", "peerasn", "peeringnetwork", "peeringconnection")
)
# Any of these repairs some of it.
DRIFT_REPAIRED_WITH = (
    *(f"{APP}.change_{model}" for model in ("peerasn", "peeringconnection", "peeringsession")),
    "netbox_routing.change_bgppeer",
)


@dataclass(frozen=True)
class Tab:
    """A tab of the pages about PeeringDB. `badge` is a count, None for none."""

    label: str
    url: str
    is_active: bool
    badge: int | None = None


def sees_drift(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether `user` may open the list of drift: who may view any of the kinds of objects that drift is about."""
    return any(user.has_perm(permission) for permission in DRIFT_SEEN_WITH)


def sees_refused(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether `user` may open the list of refused rows: who may view every sync."""
    return is_unconstrained(user, VIEW)


def tabs(user: AbstractBaseUser | AnonymousUser, active: str, *, drift: int | None = None) -> list[Tab]:
    """Return the tabs that `user` may open; `drift` is how much they see of it when that is known already."""
    found = []
    if user.has_perm(VIEW):
        found.append(_tab("page", _("PeeringDB"), "peeringdb", active))
    if sees_drift(user):
        count = PeeringDBDrift.objects.restrict(user, "view").count() if drift is None else drift
        found.append(_tab("drift", _("Drift"), "peeringdbdrift_list", active, count))
    if sees_refused(user):
        found.append(_tab("refused", _("Refused rows"), "peeringdbrefusedrow_list", active))
    if user.has_perm(VIEW):
        found.append(_tab("syncs", _("Syncs"), "peeringdbsync_list", active))
    return found


def _tab(name: str, label: str, view: str, active: str, badge: int | None = None) -> Tab:
    return Tab(label, reverse(f"plugins:{APP}:{view}"), name == active, badge)


@dataclass(frozen=True)
class AffectedRow:
    """Objects of NetBox that hang on PeeringDB: how many the user sees, and the list of them."""

    label: str
    count: int
    url: str


def affected_rows(affected: Affected) -> list[AffectedRow]:
    """Return what of NetBox hangs on PeeringDB, as lines of a table."""
    following = urlencode({"follow_peeringdb": PeeringDBFieldChoices.values()}, doseq=True)
    linked = "peeringdb_id__empty=false"
    return [
        AffectedRow(_("Peer ASNs that follow"), affected.following_peers, _list("peerasn", following)),
        AffectedRow(_("Peer ASNs that it knows"), affected.linked_peers, _list("peerasn", linked)),
        AffectedRow(_("Fabrics linked"), affected.linked_fabrics, _list("peeringfabric", linked)),
        AffectedRow(_("Networks linked"), affected.linked_networks, _list("peeringnetwork", linked)),
    ]


def _list(model: str, query: str) -> str:
    return f"{reverse(f'plugins:{APP}:{model}_list')}?{query}"


class MessageAttr(attrs.TextAttr):
    """What a sync had to say, a line each."""

    def render(self, obj: PeeringDBSync, context: dict) -> str:
        return linebreaksbr(obj.message) if obj.message else self.placeholder


class DurationAttr(attrs.TextAttr):
    """How long a sync took, or has been taking."""

    def get_value(self, obj: PeeringDBSync) -> str | None:
        if obj.ended is None:
            return None
        seconds = int((obj.ended - obj.started).total_seconds())
        return _("{minutes} min {seconds} s").format(minutes=seconds // 60, seconds=seconds % 60)


class TypesAttr(attrs.TextAttr):
    """PeeringDB's types that were synced."""

    def get_value(self, obj: PeeringDBSync) -> str:
        return ", ".join(obj.tags) if obj.tags else _("all")


class SyncPanel(panels.ObjectAttributesPanel):
    title = gettext_lazy("Sync")

    status = attrs.ChoiceAttr("status", label=gettext_lazy("Status"))
    message = MessageAttr("message", label=gettext_lazy("Message"))
    mode = attrs.ChoiceAttr("mode", label=gettext_lazy("Mode"))
    tags = TypesAttr("tags", label=gettext_lazy("Types"))
    user = attrs.TextAttr("user", label=gettext_lazy("User"))
    holder = attrs.TextAttr("holder", label=gettext_lazy("Held by"))
    started = attrs.DateTimeAttr("started", label=gettext_lazy("Started"))
    ended = attrs.DateTimeAttr("ended", label=gettext_lazy("Ended"))
    duration = DurationAttr(accessor=None, label=gettext_lazy("Duration"))


@dataclass(frozen=True)
class CountRow:
    """A line of what a sync did: what of, and how many rows were what."""

    name: str
    tag: str
    counts: Mapping[str, int]
    url: str = ""


class CountsPanel(panels.ObjectPanel):
    """What a sync did to the mirror, by type."""

    title = gettext_lazy("Mirror")
    template_name = "netbox_peering_manager/peeringdb/counts.html"

    def get_context(self, context: dict) -> dict:
        counts = context["object"].counts
        rows = [CountRow(str(NAMES[tag]), tag, counts[tag]) for tag in MIRROR if tag in counts]
        return {
            **super().get_context(context),
            "rows": rows,
            "sees_refused": sees_refused(context["request"].user),
        }


class AppliedPanel(panels.ObjectPanel):
    """What followed a sync in NetBox, by model, with the change log of that time for who may view it."""

    title = gettext_lazy("Followed in NetBox")
    template_name = "netbox_peering_manager/peeringdb/applied.html"

    def get_context(self, context: dict) -> dict:
        sync, user = context["object"], context["request"].user
        may_view = user.has_perm("core.view_objectchange")
        return {
            **super().get_context(context),
            "rows": [
                _applied_row(sync, name, counts, may_view)
                for name, counts in sync.applied.items()
                if isinstance(counts, dict)
            ],
        }


def _applied_row(sync: PeeringDBSync, name: str, counts: Mapping[str, int], may_view: bool) -> CountRow:
    model = apps.get_model(APP, name)
    return CountRow(
        name=str(model._meta.verbose_name_plural),
        tag=name,
        counts=counts,
        url=_changes_of(sync, model) if may_view and sync.ended and any(counts.values()) else "",
    )


def _changes_of(sync: PeeringDBSync, model: Any) -> str:
    """The change log of a model while the sync ran."""
    query = {
        "changed_object_type_id": ContentType.objects.get_for_model(model).pk,
        "time_after": sync.started.isoformat(),
        "time_before": sync.ended.isoformat(),
    }
    return f"{reverse('core:objectchange_list')}?{urlencode(query)}"
