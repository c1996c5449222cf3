"""Area `sessions`: confirming that sessions are deleted, and whether their BGPPeers go with them."""

from django import forms
from django.utils.translation import gettext_lazy as _

from utilities.forms import BulkDeleteForm, DeleteForm


class BGPPeerGoesMixin(forms.Form):
    """The check box that takes the BGPPeers along; not ticked, and not to be ticked, without the right to."""

    delete_bgp_peer = forms.BooleanField(required=False, label=_("Also delete the BGP peer"))

    def __init__(self, *args, may_delete_bgp_peer: bool, initial=None, **kwargs):
        super().__init__(*args, initial={"delete_bgp_peer": may_delete_bgp_peer, **(initial or {})}, **kwargs)
        if not may_delete_bgp_peer:
            self.fields["delete_bgp_peer"].disabled = True
            self.fields["delete_bgp_peer"].help_text = _("You may not delete it.")


class PeeringSessionDeleteForm(BGPPeerGoesMixin, DeleteForm):
    """Confirm the deletion of one session."""


class PeeringSessionBulkDeleteForm(BGPPeerGoesMixin, BulkDeleteForm):
    """Confirm the deletion of several sessions."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["delete_bgp_peer"].label = _("Also delete their BGP peers")
