"""Area `sessions`: the one form that makes a session with everything it takes."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from core.signals import clear_events
from netbox.views.generic.base import BaseMultiObjectView
from utilities.exceptions import AbortRequest
from utilities.forms import restrict_form_fields
from utilities.querydict import normalize_querydict
from utilities.views import GetReturnURLMixin, register_model_view

from ..exceptions import ProvisioningError
from ..forms import PeeringSessionCreateForm
from ..forms.sessions_destination import LOOK_UPS, filled, typed
from ..models import PeeringSession
from ..services.provisioning.create import create_sessions
from .deployments_asking import ADD, COMMIT, configure_made


@register_model_view(PeeringSession, "create", path="create", detail=False)
class PeeringSessionCreateView(GetReturnURLMixin, BaseMultiObjectView):
    """Parse the form, have create_sessions() do the work, put what it refuses on the form."""

    queryset = PeeringSession.objects.all()
    template_name = "netbox_peering_manager/sessions/session_create.html"

    def get_required_permission(self):
        return "netbox_peering_manager.add_peeringsession"

    def get(self, request):
        initial = normalize_querydict(request.GET)
        if port := request.GET.get("netixlan"):
            initial |= filled("netixlan", port, request.user)
        return self._show(request, self._form(request, initial=initial))

    def post(self, request):
        if request.htmx and request.htmx.trigger_name in LOOK_UPS:
            return self._look_up(request, request.htmx.trigger_name)
        form = self._form(request, request.POST)
        if not form.is_valid():
            return self._show(request, form)
        try:
            made = create_sessions(form.wanted(), request.user)
        except ProvisioningError as error:
            clear_events.send(sender=self)
            form.add_errors(error)
            return self._show(request, form)
        except AbortRequest as error:
            clear_events.send(sender=self)
            form.add_error(None, error.message)
            return self._show(request, form)
        if form.cleaned_data.get("configure_router"):
            configure_made(request, [session.pk for session in made])
        return self._done(request, made)

    def _look_up(self, request, look_up):
        """Answer with the form anew, with what was looked up filled in."""
        initial = typed(request.POST, PeeringSessionCreateForm.base_fields)
        initial |= filled(look_up, request.POST.get(look_up, ""), request.user)
        form = self._form(request, initial=initial)
        form.show_limits(request.user)
        return render(request, "htmx/form.html", {"form": form})

    @staticmethod
    def _form(request, *args, **kwargs):
        form = PeeringSessionCreateForm(*args, **kwargs)
        restrict_form_fields(form, request.user)
        form.offer_addresses(request.user)
        if not request.user.has_perms((ADD, COMMIT)):
            del form.fields["configure_router"]
        return form

    def _show(self, request, form):
        form.show_limits(request.user)
        return render(
            request,
            self.template_name,
            {
                "model": PeeringSession,
                "object": PeeringSession(),
                "form": form,
                "return_url": self.get_return_url(request),
            },
        )

    def _done(self, request, made):
        links = format_html_join(
            ", ", '<a href="{}">{}</a>', ((item.get_absolute_url(), item) for item in made)
        )
        messages.success(request, format_html(_("Created {sessions}"), sessions=links))
        if "_addanother" in request.POST:
            return redirect(request.get_full_path())
        return redirect(self.get_return_url(request, made[0]))
