"""
What mends a drift, as links: to a change here that is confirmed first, to another page, to PeeringDB. And the warning
on the page of an object that disagrees with PeeringDB.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from netbox.plugins import PluginTemplateExtension
from utilities.permissions import get_permission_for_model

from ..choices import PeeringDBDriftChoices as Kind
from ..models import PeeringDBDrift
from ..services.peeringdb.drift_text import drift_text
from ..services.peeringdb.repairs import is_repairable
from ..services.peeringdb.site import site_url

__all__ = ("RepairLink", "repairs_of", "template_extensions")

APP = "netbox_peering_manager"


@dataclass(frozen=True)
class RepairLink:
    """A link that mends a drift. `style` is one of NetBox's button colors; `is_external` leads to PeeringDB."""

    label: str
    url: str
    icon: str
    style: str = "primary"
    is_external: bool = False


# What the confirmed change of each kind is called, and the right without which it is not offered; None: to change the
# object that disagrees.
CHANGES = {
    Kind.PEER_ADDRESS_GONE: (gettext_lazy("Disable session"), "netbox_routing.change_bgppeer"),
    Kind.PEER_ASN_CHANGED: (gettext_lazy("Disable session"), "netbox_routing.change_bgppeer"),
    Kind.PORT_NOT_OPERATIONAL: (gettext_lazy("Disable session"), "netbox_routing.change_bgppeer"),
    Kind.NETWORK_GONE: (gettext_lazy("Unlink"), None),
    Kind.MAX_PREFIXES_DIFFER: (gettext_lazy("Take PeeringDB's value"), None),
    Kind.AS_SET_DIFFERS: (gettext_lazy("Take PeeringDB's value"), None),
    Kind.OWN_PORT_MISSING_THERE: (gettext_lazy("Decommission"), None),
}


def repairs_of(drift: Any, user: AbstractBaseUser | AnonymousUser | None) -> list[RepairLink]:
    """
    Return what mends `drift`, the most likely first; nothing for no user. Costs no query.

    What a right lacks for is left out. Constraints are held against the object when the link is followed.
    """
    if user is None or drift.object is None:
        return []
    return [*_changes(drift, user), *_pages(drift, user)]


def _changes(drift: Any, user: Any) -> Iterator[RepairLink]:
    if is_repairable(drift.kind):
        label, permission = CHANGES[drift.kind]
        if user.has_perm(permission or get_permission_for_model(drift.object, "change")):
            url = reverse(f"plugins:{APP}:peeringdbdrift_repair", args=[drift.pk])
            yield RepairLink(str(label), url, "mdi-auto-fix")


def _pages(drift: Any, user: Any) -> Iterator[RepairLink]:
    if pages := _PAGES.get(drift.kind):
        yield from pages(drift, user)


def _session_pages(drift: Any, user: Any) -> Iterator[RepairLink]:
    if user.has_perm(f"{APP}.delete_peeringsession"):
        back = urlencode({"return_url": reverse(f"plugins:{APP}:peeringdbdrift_list")})
        url = reverse(f"plugins:{APP}:peeringsession_delete", args=[drift.object_id])
        yield RepairLink(_("Delete session"), f"{url}?{back}", "mdi-trash-can-outline", "danger")


def _network_pages(drift: Any, user: Any) -> Iterator[RepairLink]:
    if user.has_perm(f"{APP}.view_peeringsession"):
        url = f"{reverse(f'plugins:{APP}:peeringsession_list')}?remote_as_id={drift.object.asn_id}"
        yield RepairLink(_("Its sessions"), url, "mdi-format-list-bulleted", "secondary")


def _contact_pages(drift: Any, user: Any) -> Iterator[RepairLink]:
    if user.has_perm("tenancy.add_contactassignment"):
        query = urlencode({"object_type": drift.object_type_id, "object_id": drift.object_id})
        yield RepairLink(
            _("Assign a contact"),
            f"{reverse('tenancy:contactassignment_add')}?{query}",
            "mdi-account-plus-outline",
        )
    if drift.object.peeringdb_id:
        url = site_url("net", drift.object.peeringdb_id)
        yield RepairLink(_("In PeeringDB"), url, "mdi-open-in-new", "secondary", is_external=True)


def _missing_here_pages(drift: Any, user: Any) -> Iterator[RepairLink]:
    if user.has_perm(f"{APP}.add_peeringconnection"):
        url = reverse(f"plugins:{APP}:peeringfabric_import_presence")
        yield RepairLink(_("Import own ports"), url, "mdi-import")


def _missing_there_pages(drift: Any, user: Any) -> Iterator[RepairLink]:
    if user.has_perm(f"{APP}.change_peeringconnection"):
        url = reverse(f"plugins:{APP}:peeringconnection_edit", args=[drift.object_id])
        yield RepairLink(_("Edit connection"), url, "mdi-pencil", "secondary")
    if ix_id := drift.object.peering_network.fabric.peeringdb_id:
        yield RepairLink(
            _("Exchange in PeeringDB"),
            site_url("ix", ix_id),
            "mdi-open-in-new",
            "secondary",
            is_external=True,
        )


def _prefix_pages(drift: Any, user: Any) -> Iterator[RepairLink]:
    if user.has_perm(f"{APP}.change_peeringnetwork"):
        url = reverse(f"plugins:{APP}:peeringfabric_renumber", args=[drift.object.fabric_id])
        yield RepairLink(_("Renumber"), url, "mdi-swap-horizontal")


_PAGES: dict[str, Callable[[Any, Any], Iterator[RepairLink]]] = {
    Kind.PEER_ADDRESS_GONE: _session_pages,
    Kind.PEER_ASN_CHANGED: _session_pages,
    Kind.PORT_NOT_OPERATIONAL: _session_pages,
    Kind.NETWORK_GONE: _network_pages,
    Kind.CONTACTS_GONE: _contact_pages,
    Kind.OWN_PORT_MISSING_HERE: _missing_here_pages,
    Kind.OWN_PORT_MISSING_THERE: _missing_there_pages,
    Kind.PREFIX_CHANGED: _prefix_pages,
}


class DriftWarning(PluginTemplateExtension):
    """On the page of an object that disagrees with PeeringDB, which whoever sees the page may know: in what."""

    models = tuple(
        f"{APP}.{model}" for model in ("peerasn", "peeringconnection", "peeringnetwork", "peeringsession")
    )

    def alerts(self) -> str:
        instance = self.context["object"]
        rows = PeeringDBDrift.objects.filter(
            object_type__app_label=APP, object_type__model=instance._meta.model_name, object_id=instance.pk
        )
        texts = [(row.get_kind_display(), drift_text(row.kind, row.details)) for row in rows]
        if not texts:
            return ""
        query = urlencode({"object_type": instance._meta.label_lower, "object_id": instance.pk})
        url = f"{reverse(f'plugins:{APP}:peeringdbdrift_list')}?{query}"
        return render_to_string(
            "netbox_peering_manager/peeringdb/drift_warning.html", {"texts": texts, "url": url}
        )


template_extensions = (DriftWarning,)
