"""The progress of a background job, as a part of the page that started it. The page asks for it again and again."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views import View

from utilities.views import ConditionalLoginRequiredMixin

from ..ui.jobs import job_progress, visible_jobs


class JobProgressView(ConditionalLoginRequiredMixin, View):
    """
    One job's progress, for its own user and for who may view it; for all others there is no such job.

    `?result=` is a path that the finished job links to, `?reload=1` loads the whole page again when it has ended.
    """

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = get_object_or_404(visible_jobs(request.user), pk=pk)
        progress = job_progress(
            job, request.user, result=request.GET.get("result", ""), reload="reload" in request.GET
        )
        response = render(request, "netbox_peering_manager/inc/job_progress.html", {"progress": progress})
        if progress.is_finished and progress.reload and request.htmx:
            response["HX-Refresh"] = "true"
        response["Cache-Control"] = "no-store"
        return response
