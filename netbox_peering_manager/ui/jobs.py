"""How far a background job is, for any page that starts one: plain values for `inc/job_progress.html`."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.choices import JobStatusChoices
from core.models import Job
from utilities.request import safe_for_redirect
from utilities.rqworker import any_workers_for_queue

__all__ = ("JobProgress", "job_progress", "visible_jobs", "worker_command")


@dataclass(frozen=True)
class JobProgress:
    """
    What a page shows of a job. `percent` is 0 to 100, None while it is not known; `error` is why it failed, "" else.

    `poll_url` answers with the same part of the page, later. `result_url` is where the outcome is told, "" nowhere.
    """

    name: str
    status: str
    status_label: str
    status_color: str
    done: int
    total: int
    percent: int | None
    text: str
    error: str
    is_finished: bool
    is_good: bool
    lacks_worker: bool
    queue: str
    url: str
    poll_url: str
    result_url: str
    reload: bool

    @property
    def worker_command(self) -> str:
        """What starts a worker that takes it, beside the jobs of NetBox's own queues."""
        return worker_command(self.queue)


def worker_command(queue: str) -> str:
    """Return what starts a worker that takes jobs from `queue`, beside those of NetBox's own queues."""
    return " ".join(dict.fromkeys(("rqworker", "high", "default", "low", queue)))


def visible_jobs(user: AbstractBaseUser | AnonymousUser) -> Any:
    """Return the jobs whose progress `user` may see: their own, and those that they may view (core.view_job)."""
    mine = Q(user=user.pk) if user.pk else Q(pk__in=())
    return Job.objects.filter(mine | Q(pk__in=Job.objects.restrict(user, "view").order_by().values("pk")))


def job_progress(
    job: Job, user: AbstractBaseUser | AnonymousUser, *, result: str = "", reload: bool = False
) -> JobProgress:
    """
    Return what a page shows of `job`, one of visible_jobs(user).

    When it has ended, the page links to `result` (a path of this site), or with `reload` is loaded again.
    """
    result = result if safe_for_redirect(result) else ""
    progress = _reported(job)
    done, total = progress["done"], progress["total"]
    is_good = job.status == JobStatusChoices.STATUS_COMPLETED
    query = urlencode({"result": result, **({"reload": 1} if reload else {})})
    return JobProgress(
        name=job.name,
        status=job.status,
        status_label=str(job.get_status_display()),
        status_color=job.get_status_color(),
        done=done,
        total=total,
        percent=100 if is_good else min(100, done * 100 // total) if total > 0 else None,
        text=progress["text"],
        error=_why_it_failed(job),
        is_finished=job.status in JobStatusChoices.TERMINAL_STATE_CHOICES,
        is_good=is_good,
        lacks_worker=job.status == JobStatusChoices.STATUS_PENDING and not _is_served(job.queue_name),
        queue=job.queue_name,
        url=job.get_absolute_url() if user.has_perm("core.view_job", job) else "",
        poll_url=f"{reverse('plugins:netbox_peering_manager:job_progress', args=[job.pk])}?{query}",
        result_url=result,
        reload=reload,
    )


def _is_served(queue: str) -> bool:
    # A job can outlive its queue's place in the settings.
    return queue in settings.RQ_QUEUES and any_workers_for_queue(queue)


def _reported(job: Job) -> dict[str, Any]:
    """What the job kept last by PeeringJob.report(); zeros for a job that reports nothing."""
    data = job.data if isinstance(job.data, dict) else {}
    return {"done": 0, "total": 0, "text": "", **(data.get("progress") or {})}


def _why_it_failed(job: Job) -> str:
    """The job's own message. An errored job has but a traceback, which is for its page and who may view that."""
    if job.status == JobStatusChoices.STATUS_ERRORED:
        return str(_("It stopped at an unexpected error. The job's log has the details."))
    if job.status != JobStatusChoices.STATUS_FAILED:
        return ""
    errors = [entry["message"] for entry in job.log_entries or () if entry.get("level") == "error"]
    return errors[-1] if errors else job.error
