"""Area `peers`: what a peer ASN's page shows, and what the page of NetBox's ASN shows of it."""

from django.utils.translation import gettext_lazy as _

from netbox.plugins import PluginTemplateExtension
from netbox.ui import actions, attrs, panels

from ..choices import PeeringDBFieldChoices
from ..models import PeerASN
from ..services.peeringdb.networks import contacts_of, network_of, synced_at
from ..services.peeringdb.site import site_url
from ..services.permissions import is_unconstrained
from ..services.provisioning.registries import registry_of

__all__ = (
    "ContactsPanel",
    "LocalSessionsPanel",
    "PeerASNFilteringPanel",
    "PeerASNPanel",
    "PeeringDBPanel",
    "peeringdb_url",
    "template_extensions",
)

APP = "netbox_peering_manager"
VIEW_CONTACTS = f"{APP}.view_contacts_peeringdbsync"


def peeringdb_url(peer_asn: PeerASN) -> str:
    """
    Return the address of the AS's page in PeeringDB, "" when it cannot have one.

    By number when its id is not known: PeeringDB then shows the net that registered it. Numbers that IANA
    allocated to no registry (private, documentation) cannot be registered there.
    """
    if peer_asn.peeringdb_id:
        return site_url("net", peer_asn.peeringdb_id)
    return site_url("asn", peer_asn.asn.asn) if registry_of(peer_asn.asn.asn) else ""


class ThisObjectAttr(attrs.RelatedObjectAttr):
    """The panel's object itself, linked to its page."""

    def __init__(self, **kwargs) -> None:
        super().__init__(accessor=None, linkify=True, **kwargs)

    def get_value(self, obj: PeerASN) -> PeerASN:
        return obj


class PeerASNPanel(panels.ObjectAttributesPanel):
    asn = attrs.RelatedObjectAttr("asn", linkify=True, label=_("ASN"))
    name = attrs.TextAttr("name", label=_("Name"))
    affiliated = attrs.BooleanAttr("affiliated", label=_("Affiliated"))
    rir = attrs.RelatedObjectAttr("asn.rir", linkify=True, label=_("RIR"))
    tenant = attrs.RelatedObjectAttr("asn.tenant", linkify=True, grouped_by="group", label=_("Tenant"))
    description = attrs.TextAttr("description", label=_("Description"))


class PeerASNFilteringPanel(panels.ObjectAttributesPanel):
    title = _("Filtering")

    irr_as_set = attrs.TextAttr("irr_as_set", style="font-monospace", copy_button=True, label=_("IRR AS-SET"))
    ipv4_max_prefixes = attrs.NumericAttr("ipv4_max_prefixes", label=_("IPv4 max prefixes"))
    ipv6_max_prefixes = attrs.NumericAttr("ipv6_max_prefixes", label=_("IPv6 max prefixes"))


class PeeringDBPanel(panels.ObjectPanel):
    """What PeeringDB says of the AS, as the mirror has it, and the button that takes it over."""

    title = _("PeeringDB")
    template_name = "netbox_peering_manager/peers/peeringdb.html"

    def get_context(self, context: dict) -> dict:
        peer, user = context["object"], context["request"].user
        network = network_of(peer.asn.asn)
        labels = dict(PeeringDBFieldChoices)
        return {
            **super().get_context(context),
            "network": network,
            "page": network.page if network else peeringdb_url(peer),
            "synced": synced_at("net"),
            "follows": ", ".join(str(labels.get(field, field)) for field in peer.follow_peeringdb),
            "may_synchronise": user.has_perm(f"{APP}.change_peerasn", peer),
            "may_open_page": user.has_perm(f"{APP}.view_peeringdbsync"),
        }


class ContactsPanel(panels.ObjectPanel):
    """The contacts that PeeringDB has of the AS, for who may see them; nothing else tells that there are any."""

    title = _("Contacts in PeeringDB")
    template_name = "netbox_peering_manager/peers/peeringdb_contacts.html"

    def should_render(self, context: dict) -> bool:
        # Contacts are plain values, which no constraint can be held against.
        return is_unconstrained(context["request"].user, VIEW_CONTACTS)

    def get_context(self, context: dict) -> dict:
        shown = super().get_context(context)
        if not self.should_render(shown):
            return shown
        return {
            **shown,
            "contacts": contacts_of(context["object"].asn.asn),
            "synced": synced_at("poc"),
        }


class LocalSessionsPanel(panels.ObjectsTablePanel):
    """The sessions that an affiliated AS has, not with it but as it. Nothing for others."""

    title = _("Sessions of this AS")

    def __init__(self, **kwargs) -> None:
        super().__init__(
            model="netbox_peering_manager.PeeringSession",
            filters={"local_as_id": lambda ctx: ctx["object"].asn_id},
            **kwargs,
        )

    def should_render(self, context: dict) -> bool:
        return context["object"].affiliated and super().should_render(context)


class PeerASNOfASNPanel(panels.ObjectAttributesPanel):
    """On an ASN's page: the PeerASN that stands under "peer_asn" in the context, annotated with_counts()."""

    title = _("Peering")
    accessor = "peer_asn"

    peer_asn = ThisObjectAttr(label=_("Peer ASN"))
    affiliated = attrs.BooleanAttr("affiliated", label=_("Affiliated"))
    irr_as_set = attrs.TextAttr("irr_as_set", style="font-monospace", label=_("IRR AS-SET"))
    ipv4_max_prefixes = attrs.NumericAttr("ipv4_max_prefixes", label=_("IPv4 max prefixes"))
    ipv6_max_prefixes = attrs.NumericAttr("ipv6_max_prefixes", label=_("IPv6 max prefixes"))
    sessions = attrs.TemplatedAttr(
        "session_count",
        template_name="netbox_peering_manager/peers/attrs/session_count.html",
        label=_("Sessions"),
    )


class NoPeerASNPanel(panels.ObjectPanel):
    """On the page of an ASN that has no PeerASN: a button that creates it."""

    template_name = "netbox_peering_manager/peers/no_peer_asn.html"
    title = _("Peering")
    actions = (
        actions.AddObject(
            "netbox_peering_manager.PeerASN",
            url_params={"asn": lambda ctx: ctx["object"].pk},
            label=_("Create Peer ASN"),
        ),
    )


class ASNPeeringExtension(PluginTemplateExtension):
    """Nothing for who may neither see the PeerASN nor create one, nor for one that is there, but hidden."""

    models = ("ipam.asn",)

    def right_page(self) -> str:
        asn, user = self.context["object"], self.context["request"].user
        visible = PeerASN.objects.restrict(user, "view").with_counts(user).select_related("asn")
        if peer_asn := visible.filter(asn=asn).first():
            return PeerASNOfASNPanel().render({**self.context, "peer_asn": peer_asn})
        if (
            not user.has_perm("netbox_peering_manager.add_peerasn")
            or PeerASN.objects.filter(asn=asn).exists()
        ):
            return ""
        return NoPeerASNPanel().render(self.context)


template_extensions = (ASNPeeringExtension,)
