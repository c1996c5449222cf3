"""
Area `sessions`: the panel "In effect" of a session's page: what counts in the end, and who says so.

What a value refers to is shown to those who may view it, and "hidden" to all others.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from ipam.models import ASN, IPAddress
from netbox.ui import panels
from netbox_routing.choices import BGPAddressFamilyChoices
from netbox_routing.models import BFDProfile, BGPPeerTemplate, BGPSessionTemplate, PrefixList, RouteMap

from ..services.rendering.in_effect import FamilyInEffect, InEffect, Setting, in_effect

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.db.models import Model

__all__ = ("InEffectPanel", "show_as")

ORIGINS = {
    "BGP peer": _("from the BGP peer"),
    "BGP router": _("from the BGP router"),
    "connection": _("from the connection"),
    "fabric": _("from the fabric"),
    "peer": _("from the peer ASN"),
    "peer group": _("from the peer group"),
    "policy template": _("from a policy template"),
    "relationship": _("from the relationship type"),
    "session": _("from this session"),
    "session template": _("from a session template"),
}
# Those that have a name worth knowing, and what it is a name of.
NAMED_ORIGINS = {
    "peer group": (BGPPeerTemplate, _("from peer group {name}")),
    "session template": (BGPSessionTemplate, _("from session template {name}")),
}
POLICIES = (
    ("route_map_in", RouteMap, _("Route map in")),
    ("route_map_out", RouteMap, _("Route map out")),
    ("prefix_list_in", PrefixList, _("Prefix list in")),
    ("prefix_list_out", PrefixList, _("Prefix list out")),
)
FAMILY_NAMES = dict(BGPAddressFamilyChoices)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the panel; `value` is HTML, empty for none."""

    label: str | Promise
    value: str
    origin: str | Promise = ""


@dataclass(frozen=True, slots=True)
class FamilyLines:
    """The lines of one address family."""

    name: str | Promise
    enabled: bool
    lines: list[Line]


class InEffectPanel(panels.ObjectPanel):
    """What counts for the session, its address families included, and who says so."""

    template_name = "netbox_peering_manager/sessions/in_effect.html"
    title = _("In Effect")

    def get_context(self, context):
        found = in_effect(context["object"].pk)
        teller = _Teller(found, context["request"].user)
        return {
            **super().get_context(context),
            "lines": list(teller.lines()),
            "families": [teller.family(family) for family in found.families],
        }


class _Teller:
    """Puts into words what counts for a session, for one user."""

    def __init__(self, found: InEffect, user: "AbstractBaseUser | AnonymousUser") -> None:
        self.found = found
        self.visible = {model: _visible(model, ids, user) for model, ids in _referred(found).items()}

    def lines(self) -> Iterator[Line]:
        found = self.found
        yield self.line(_("Enabled"), found.enabled, _checkmark(found.enabled.value))
        yield self.reference(_("Local AS"), found.local_as, ASN)
        yield self.reference(_("Source address"), found.source, IPAddress)
        yield self.reference(_("Peer group"), found.peer_group, BGPPeerTemplate)
        yield self.line(_("TTL"), found.ttl)
        yield self.reference(_("BFD profile"), found.bfd, BFDProfile)

    def family(self, family: FamilyInEffect) -> FamilyLines:
        lines = [self.line(_("Max prefixes"), family.max_prefixes)]
        for name, model, label in POLICIES:
            setting = getattr(family, name)
            # Prefix lists beside route maps are rare: they are told where there are any.
            if setting.value is not None or model is RouteMap:
                lines.append(self.reference(label, setting, model))
        return FamilyLines(FAMILY_NAMES.get(family.afi, family.afi), family.enabled, lines)

    def reference(self, label: str | Promise, setting: Setting, model: "type[Model]") -> Line:
        if setting.value is None:
            return Line(label, "")
        thing = self.visible[model].get(setting.value)
        return self.line(label, setting, _hidden() if thing is None else show(thing))

    def line(self, label: str | Promise, setting: Setting, value: str | None = None) -> Line:
        if setting.value is None:
            return Line(label, "")
        shown = format_html("{}", setting.value) if value is None else value
        return Line(label, shown, self.origin(setting))

    def origin(self, setting: Setting) -> str | Promise:
        if setting.origin is None:
            return _("by default")
        if setting.origin in NAMED_ORIGINS:
            model, text = NAMED_ORIGINS[setting.origin]
            if (thing := self.visible[model].get(setting.origin_id)) is not None:
                return text.format(name=thing)
        return ORIGINS[setting.origin]


def _referred(found: InEffect) -> dict["type[Model]", set[int]]:
    """Return the ids of all that is referred to, by model."""
    ids: dict[type[Model], set[int]] = defaultdict(set)
    references = [
        (found.local_as, ASN),
        (found.source, IPAddress),
        (found.peer_group, BGPPeerTemplate),
        (found.bfd, BFDProfile),
        *((getattr(family, name), model) for family in found.families for name, model, _label in POLICIES),
    ]
    for setting, model in references:
        ids[model].add(setting.value)
    for setting in (found.enabled, found.ttl, *(setting for setting, _model in references)):
        if setting.origin in NAMED_ORIGINS:
            ids[NAMED_ORIGINS[setting.origin][0]].add(setting.origin_id)
    return {model: referred - {None} for model, referred in ids.items()}


def _visible(model: "type[Model]", ids: Iterable[int], user) -> dict[int, "Model"]:
    if not ids:
        return {}
    objects = model.objects.restrict(user, "view")
    if model is ASN:
        objects = objects.select_related("peer_asn")
    return objects.in_bulk(ids)


def show(thing: "Model") -> str:
    """Return a link to an object; of an AS what `show_as` makes of it."""
    if isinstance(thing, ASN):
        return show_as(thing)
    return format_html('<a href="{}">{}</a>', thing.get_absolute_url(), thing)


def show_as(asn: ASN) -> str:
    """Return an AS: its number, leading to its peer ASN when it has one, and the name of the network behind it."""
    peer_asn = getattr(asn, "peer_asn", None)
    link = format_html('<a href="{}">{}</a>', (peer_asn or asn).get_absolute_url(), asn)
    return format_html("<span>{} {}</span>", link, peer_asn.name) if peer_asn and peer_asn.name else link


def _checkmark(value: bool | None) -> str:
    return render_to_string("ui/attrs/boolean.html", {"value": value})


def _hidden() -> str:
    return format_html(
        '<span class="text-secondary"><i class="mdi mdi-lock-outline" aria-hidden="true"></i> {}</span>',
        _t("hidden"),
    )
