"""Area `sessions`: what several forms refuse, with the same words."""

from typing import TYPE_CHECKING

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..models import PeeringSession

if TYPE_CHECKING:
    from netbox_routing.models import BGPPeer


def refuse_wrapped(bgp_peer: "BGPPeer", *, but: int | None) -> None:
    """
    ValidationError, with a link to it, when a session other than the one of id `but` wraps this BGPPeer.
    """
    session = PeeringSession.objects.filter(bgp_peer=bgp_peer).exclude(pk=but).first()
    if session is not None:
        link = format_html('<a href="{}">{}</a>', session.get_absolute_url(), session)
        raise ValidationError(
            format_html(
                _(
                    "This BGP peer has a peering session already: {session}. Edit that one, or choose "
                    "another BGP peer."
                ),
                session=link,
            )
        )


def refuse_other_fabric(form: forms.Form) -> None:
    """
    Add an error to `form` when its fabric and its peering network are both given and do not belong together.
    """
    fabric, network = form.cleaned_data.get("fabric"), form.cleaned_data.get("peering_network")
    if fabric and network and network.fabric_id != fabric.pk:
        form.add_error(
            "peering_network",
            _("{network} is not on {fabric}: choose a network of that fabric, or another fabric.").format(
                network=network, fabric=fabric
            ),
        )
