"""
Area `sessions`: confirming that sessions are deleted, whether their BGPPeers go with them, and whether their routers
forget them at once.
"""

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


class RemovedNowMixin(forms.Form):
    """The check box that takes what relationship types want removed off the routers now; only where that can be."""

    remove_now = forms.BooleanField(
        required=False,
        label=_("Remove from the router now"),
        help_text=_("Compares and commits that, in the background. Else the router keeps it for now."),
    )

    def __init__(self, *args, removes_now: bool = False, initial=None, **kwargs):
        super().__init__(*args, initial={"remove_now": removes_now, **(initial or {})}, **kwargs)
        if not removes_now:
            del self.fields["remove_now"]


class PeeringSessionDeleteForm(RemovedNowMixin, BGPPeerGoesMixin, DeleteForm):
    """Confirm the deletion of one session."""


class PeeringSessionBulkDeleteForm(RemovedNowMixin, BGPPeerGoesMixin, BulkDeleteForm):
    """Confirm the deletion of several sessions."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["delete_bgp_peer"].label = _("Also delete their BGP peers")
        if "remove_now" in self.fields:
            self.fields["remove_now"].label = _("Remove from the routers now what is to be removed there")
