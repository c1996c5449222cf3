"""Area `sessions`: deleting sessions, with or without the BGPPeers that they wrap."""

from django.contrib import messages
from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.exceptions import JobFailed
from core.signals import clear_events
from netbox.views import generic
from utilities.error_handlers import handle_protectederror
from utilities.exceptions import AbortRequest
from utilities.htmx import htmx_partial
from utilities.jobs import is_background_request, process_request_as_job
from utilities.request import safe_for_redirect
from utilities.views import get_action_url, register_model_view

from .. import filtersets, tables
from ..forms import PeeringSessionBulkDeleteForm, PeeringSessionDeleteForm
from ..models import PeeringSession
from ..services.provisioning.removal import bgp_peers_to_delete, delete_session, what_goes_with
from .sessions_removal import may_remove_now, neighbors_of, remove_now


@register_model_view(PeeringSession, "delete")
class PeeringSessionDeleteView(generic.ObjectDeleteView):
    """Delete a session; its BGPPeer goes too when the box is ticked and the user may delete that."""

    queryset = PeeringSession.objects.with_bgp()
    template_name = "netbox_peering_manager/sessions/session_delete.html"
    modal_template_name = "netbox_peering_manager/sessions/session_delete_form.html"

    def get(self, request, *args, **kwargs):
        session = self.get_object(**kwargs)
        return self._show(request, session, self._form(request, session, initial=request.GET))

    def post(self, request, *args, **kwargs):
        session = self.get_object(**kwargs)
        form = self._form(request, session, request.POST)
        if not form.is_valid():
            return self._show(request, session, form)
        name = str(session)
        gone = neighbors_of([session]) if form.cleaned_data.get("remove_now") else []
        session._changelog_message = form.cleaned_data.get("changelog_message", "")
        try:
            delete_session(session, with_bgp_peer=form.cleaned_data["delete_bgp_peer"])
        except (ProtectedError, RestrictedError) as error:
            clear_events.send(sender=self)
            # The instance has lost its id, although the row was kept.
            session.pk = kwargs["pk"]
            handle_protectederror([session], request, error)
            return redirect(session.get_absolute_url())
        except AbortRequest as error:
            clear_events.send(sender=self)
            messages.error(request, error.message)
            return redirect(get_action_url(PeeringSession, kwargs={"pk": kwargs["pk"]}))
        messages.success(request, _("Deleted peering session {session}").format(session=name))
        remove_now(request, gone)
        return redirect(self._after(request, form))

    @staticmethod
    def _form(request, session, data=None, **kwargs):
        allowed = bool(bgp_peers_to_delete(request.user, [session]))
        removes = may_remove_now(request.user, [session])
        return PeeringSessionDeleteForm(
            data, instance=session, may_delete_bgp_peer=allowed, removes_now=removes, **kwargs
        )

    def _after(self, request, form) -> str:
        wanted = form.cleaned_data.get("return_url")
        if wanted and safe_for_redirect(wanted):
            return wanted
        return self.get_return_url(request)

    def _show(self, request, session, form):
        context = {"object": session, "form": form, "goes_along": what_goes_with(session)}
        if htmx_partial(request):
            form_url = get_action_url(PeeringSession, action="delete", kwargs={"pk": session.pk})
            return render(request, self.modal_template_name, {**context, "form_url": form_url})
        return render(
            request, self.template_name, {**context, "return_url": self.get_return_url(request, session)}
        )


@register_model_view(PeeringSession, "bulk_delete", path="delete", detail=False)
class PeeringSessionBulkDeleteView(generic.BulkDeleteView):
    """Delete sessions, all or none; with the box ticked, all of their BGPPeers as well."""

    queryset = PeeringSession.objects.with_bgp().with_state()
    filterset = filtersets.PeeringSessionFilterSet
    table = tables.PeeringSessionTable
    template_name = "netbox_peering_manager/sessions/bulk_delete.html"

    def post(self, request, **kwargs):
        chosen = self.queryset.filter(pk__in=self._chosen(request))
        sessions = list(chosen)
        if not sessions:
            messages.warning(request, _("No peering sessions were selected."))
            return redirect(self.get_return_url(request))
        peers = bgp_peers_to_delete(request.user, sessions)
        options = {
            "may_delete_bgp_peer": len(peers) == len(sessions),
            "removes_now": may_remove_now(request.user, sessions),
        }
        if "_confirm" not in request.POST:
            initial = {"pk": [session.pk for session in sessions], "return_url": self.get_return_url(request)}
            return self._show(
                request, chosen, PeeringSessionBulkDeleteForm(PeeringSession, initial=initial, **options)
            )
        form = PeeringSessionBulkDeleteForm(PeeringSession, request.POST, **options)
        if not form.is_valid():
            return self._show(request, chosen, form)
        name = _("Delete {count} peering sessions").format(count=len(sessions))
        if form.cleaned_data["background_job"] and process_request_as_job(self.__class__, request, name=name):
            return redirect(self.get_return_url(request))
        return self._delete(request, sessions, form)

    def _chosen(self, request) -> list[int]:
        if not request.POST.get("_all"):
            return [int(pk) for pk in request.POST.getlist("pk") if pk.isdecimal()]
        everything = self.filterset(request.GET, PeeringSession.objects.all(), request=request).qs
        return list(everything.order_by().values_list("pk", flat=True))

    def _delete(self, request, sessions, form):
        gone = []
        if form.cleaned_data.get("remove_now"):
            gone = neighbors_of([one for one in sessions if one.relationship.remove_from_router])
        try:
            with transaction.atomic():
                for session in sessions:
                    session._changelog_message = form.cleaned_data.get("changelog_message")
                    delete_session(session, with_bgp_peer=form.cleaned_data["delete_bgp_peer"])
        except (ProtectedError, RestrictedError) as error:
            clear_events.send(sender=self)
            if is_background_request(request):
                request.job.logger.error(
                    _("Nothing was deleted: something still needs a session or a BGP peer.")
                )
                raise JobFailed from error
            handle_protectederror(sessions, request, error)
        except AbortRequest as error:
            clear_events.send(sender=self)
            if is_background_request(request):
                request.job.logger.error(error.message)
                raise JobFailed from error
            messages.error(request, error.message)
        else:
            message = ngettext(
                "Deleted {count} peering session", "Deleted {count} peering sessions", len(sessions)
            ).format(count=len(sessions))
            if is_background_request(request):
                request.job.logger.info(message)
                remove_now(request, gone)
                return None
            messages.success(request, message)
            remove_now(request, gone)
        return redirect(self.get_return_url(request))

    def _show(self, request, sessions, form):
        return render(
            request,
            self.template_name,
            {
                "model": PeeringSession,
                "form": form,
                "table": self.table(sessions, orderable=False),
                "return_url": self.get_return_url(request),
            },
        )
