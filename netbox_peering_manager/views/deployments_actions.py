"""
Area `deployments`: what can be done with a deployment: approve, reject, commit, schedule, compare again, cancel, end.

Each by POST. Whether it is allowed is decided in services.deployment.decisions, for pages, REST and jobs alike.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from netbox.views.generic.base import BaseObjectView
from utilities.views import register_model_view

from ..choices import DeploymentStatusChoices as Status
from ..exceptions import DeploymentRefused
from ..forms import ScheduleForm
from ..jobs.deployments import DeploymentJob
from ..models import Deployment
from ..services.deployment import decisions, together

REASON_LENGTH = 1000


class DecisionView(BaseObjectView):
    """Base: does something with a deployment that the user may view, and leads back to it."""

    queryset = Deployment.objects.with_people().select_related("batch")

    def get_required_permission(self) -> str:
        return "netbox_peering_manager.view_deployment"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponseNotAllowed(["POST"])

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        deployment = self.get_object(pk=pk)
        try:
            done = self.decide(deployment, request)
        except together.REFUSALS as error:
            messages.error(request, str(error))
        else:
            messages.success(request, done)
        return redirect(deployment.get_absolute_url())

    def decide(self, deployment: Deployment, request: HttpRequest) -> str:
        """Do it and return what to tell. DeploymentRefused when it is not allowed."""
        raise NotImplementedError

    @staticmethod
    def reason(request: HttpRequest) -> str:
        return request.POST.get("reason", "").strip()[:REASON_LENGTH]


@register_model_view(Deployment, "approve")
class ApproveView(DecisionView):
    def decide(self, deployment: Deployment, request: HttpRequest) -> str:
        decisions.approve(deployment, request.user, self.reason(request))
        go_on(deployment, request.user)
        return _("Approved {deployment}").format(deployment=deployment)


@register_model_view(Deployment, "reject")
class RejectView(DecisionView):
    def decide(self, deployment: Deployment, request: HttpRequest) -> str:
        decisions.reject(deployment, request.user, self.reason(request))
        return _("Rejected {deployment}").format(deployment=deployment)


@register_model_view(Deployment, "commit")
class CommitView(DecisionView):
    def decide(self, deployment: Deployment, request: HttpRequest) -> str:
        decisions.release(deployment, request.user)
        DeploymentJob.start(deployment, request.user)
        return _("{deployment} is being sent to the router").format(deployment=deployment)


@register_model_view(Deployment, "cancel")
class CancelView(DecisionView):
    def decide(self, deployment: Deployment, request: HttpRequest) -> str:
        decisions.cancel(deployment, request.user, self.reason(request))
        return _("Cancelled {deployment}").format(deployment=deployment)


@register_model_view(Deployment, "end")
class EndView(DecisionView):
    def decide(self, deployment: Deployment, request: HttpRequest) -> str:
        decisions.end(deployment, request.user, self.reason(request))
        return _("Ended {deployment}").format(deployment=deployment)


@register_model_view(Deployment, "again")
class CompareAgainView(DecisionView):
    """A new deployment of the same, compared with the router as it is now."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        former = self.get_object(pk=pk)
        try:
            deployment = together.again(former, request.user)
        except together.REFUSALS as error:
            messages.error(request, str(error))
            return redirect(former.get_absolute_url())
        DeploymentJob.start(deployment, request.user)
        return redirect(deployment.get_absolute_url())


@register_model_view(Deployment, "schedule")
class ScheduleView(DecisionView):
    """Asks for the time, then schedules."""

    template_name = "netbox_peering_manager/deployments/schedule.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        deployment = self.get_object(pk=pk)
        return self._refused(request, deployment) or self._show(request, deployment, ScheduleForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        deployment = self.get_object(pk=pk)
        if refused := self._refused(request, deployment):
            return refused
        form = ScheduleForm(request.POST)
        if not form.is_valid():
            return self._show(request, deployment, form)
        try:
            decisions.schedule(deployment, request.user, form.cleaned_data["scheduled"])
        except DeploymentRefused as error:
            messages.error(request, str(error))
        else:
            when = date_format(localtime(deployment.scheduled), "DATETIME_FORMAT")
            messages.success(
                request, _("{deployment} is sent at {when}").format(deployment=deployment, when=when)
            )
        return redirect(deployment.get_absolute_url())

    @staticmethod
    def _refused(request: HttpRequest, deployment: Deployment) -> HttpResponse | None:
        if not (reason := decisions.why_not_schedule(deployment, request.user)):
            return None
        messages.error(request, reason)
        return redirect(deployment.get_absolute_url())

    def _show(self, request: HttpRequest, deployment: Deployment, form: ScheduleForm) -> HttpResponse:
        return render(
            request,
            self.template_name,
            {"object": deployment, "form": form, "return_url": deployment.get_absolute_url()},
        )


def go_on(deployment: Deployment, user: Any) -> None:
    """Start what an approval was waited for: an automatic deployment is sent now, a scheduled one is scheduled."""
    if deployment.status == Status.APPROVED and (deployment.automatic or deployment.scheduled):
        DeploymentJob.start(deployment, user)
