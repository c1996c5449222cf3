"""Many routers at once: what the page of a batch shows, router by router, and the buttons of the list of routers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from core.models import Job
from netbox.object_actions import ObjectAction

from ..choices import DeploymentStatusChoices as Status
from ..jobs.fleet import FleetJob
from ..models import Deployment, DeploymentBatch, PeeringRouter
from ..services.deployment.fleet import FAILURES, why_not_stop
from ..services.deployment.reading import Reading
from .diffs import Size, size_of
from .jobs import JobProgress, job_progress, visible_jobs

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

__all__ = (
    "BatchProgress",
    "CompareSelected",
    "DeployPushed",
    "DeploySelected",
    "RouterRow",
    "batch_progress",
)

APP = "netbox_peering_manager"
ADD, COMMIT = f"{APP}.add_deployment", f"{APP}.commit_deployment"
# Something happens to it by itself, or is about to.
MOVING = (Status.RENDERED, *Status.SENDING)


@dataclass(frozen=True, slots=True)
class RouterRow:
    """
    One router of a batch. `url` leads to its deployment, "" without one; `size` is None before it was compared.

    `reason`: why there is no deployment, or what the deployment says of itself.
    """

    router: str
    router_url: str
    deployment: int | None
    url: str
    name: str
    status: str
    label: str
    color: str
    size: Size | None
    reason: str


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """
    How far a batch is, of what the user may see. Counts are of `rows`, but `hidden`: routers that are not shown.

    `is_moving`: it changes by itself, so the page asks again (`poll_url`). `why_not_stop` is "" when the user may.
    `job`: that deployments are still being asked for, None when they are not, or for who may not see it.
    """

    batch: DeploymentBatch
    rows: tuple[RouterRow, ...]
    hidden: int
    ended: int
    failed: int
    percent: int
    is_moving: bool
    poll_url: str
    stop_url: str
    may_stop: bool
    why_not_stop: str
    job: JobProgress | None = None


def batch_progress(batch: DeploymentBatch, user: "AbstractBaseUser | AnonymousUser") -> BatchProgress:
    """Return what to show of a batch. Its queries do not grow with the routers."""
    deployments = _deployments(batch, user)
    job = FleetJob.underway(batch)
    rows = tuple(_rows(batch, deployments, user, is_asking=job is not None))
    total = max(len(batch.asked), _count(batch), 1)
    ended = sum(row.status in Status.ENDED or row.status == REFUSED for row in rows)
    refusal = why_not_stop(batch, user)
    return BatchProgress(
        batch=batch,
        rows=rows,
        hidden=total - len(rows) if total > len(rows) and rows else 0,
        ended=ended,
        failed=sum(row.status in (*FAILURES, REFUSED) for row in rows),
        percent=min(100, ended * 100 // total),
        is_moving=_is_moving(batch, rows, deployments),
        poll_url=reverse(f"plugins:{APP}:deploymentbatch_progress", args=[batch.pk]),
        stop_url=reverse(f"plugins:{APP}:deploymentbatch_stop", args=[batch.pk]),
        may_stop=not refusal and ended < total,
        why_not_stop=refusal,
        job=None if batch.stopped else _shown(job, user),
    )


def _shown(job: Job | None, user: Any) -> JobProgress | None:
    if job is None or (seen := visible_jobs(user).filter(pk=job.pk).first()) is None:
        return None
    return job_progress(seen, user)


# Of routers without a deployment.
REFUSED, WAITING, NOT_BEGUN = "refused", "waiting", "not-begun"


def _deployments(batch: DeploymentBatch, user: Any) -> list[Deployment]:
    visible = Deployment.objects.restrict(user, "view").filter(batch=batch)
    found = list(visible.with_router().without_texts().order_by("pk"))
    reading = Reading(user, found)
    for one in found:
        # Shown, never saved.
        one.reason = reading.reason(one, one.reason)
    return found


def _count(batch: DeploymentBatch) -> int:
    return Deployment.objects.filter(batch=batch).count()


def _rows(
    batch: DeploymentBatch,
    deployments: list[Deployment],
    user: "AbstractBaseUser | AnonymousUser",
    *,
    is_asking: bool,
) -> Iterator[RouterRow]:
    """In the order in which the routers were asked for; then those that nobody asked for by name."""
    visible = _visible_routers(batch, deployments, user)
    by_router = {deployment.router_id: deployment for deployment in deployments}
    for one in batch.asked:
        if (deployment := by_router.pop(one["router"], None)) is not None:
            yield _row(deployment, visible)
        elif one["router"] in visible or (batch.user_id is not None and batch.user_id == user.pk):
            yield _without_deployment(one, visible, is_waiting=is_asking and not batch.stopped)
    for deployment in by_router.values():
        yield _row(deployment, visible)


def _visible_routers(batch: DeploymentBatch, deployments: list[Deployment], user: Any) -> set[int]:
    wanted = {one["router"] for one in batch.asked} | {each.router_id for each in deployments}
    seen = PeeringRouter.objects.restrict(user, "view").filter(pk__in=wanted).order_by()
    return set(seen.values_list("pk", flat=True))


def _row(deployment: Deployment, visible: set[int]) -> RouterRow:
    is_compared = deployment.status != Status.RENDERED and (
        bool(deployment.masked_diff) or deployment.status != Status.FAILED
    )
    return RouterRow(
        router=str(deployment.router),
        router_url=deployment.router.get_absolute_url() if deployment.router_id in visible else "",
        deployment=deployment.pk,
        url=deployment.get_absolute_url(),
        name=str(deployment),
        status=deployment.status,
        label=str(deployment.get_status_display()),
        color=deployment.get_status_color() or "secondary",
        size=size_of(deployment.masked_diff) if is_compared else None,
        reason=deployment.reason,
    )


def _without_deployment(one: dict[str, Any], visible: set[int], *, is_waiting: bool) -> RouterRow:
    if one["reason"]:
        status, label, color = REFUSED, _t("Refused"), "red"
    elif is_waiting:
        status, label, color = WAITING, _t("Waiting"), "gray"
    else:
        status, label, color = NOT_BEGUN, _t("Not begun"), "gray"
    is_seen = one["router"] in visible
    url = reverse(f"plugins:{APP}:peeringrouter", args=[one["router"]]) if is_seen else ""
    return RouterRow(one["name"], url, None, "", "", status, label, color, None, one["reason"])


def _is_moving(batch: DeploymentBatch, rows: tuple[RouterRow, ...], deployments: list[Deployment]) -> bool:
    if any(row.status == WAITING for row in rows):
        return True
    # One that may be sent by itself goes on from here.
    goes_on = (Status.COMPARED, Status.APPROVED)
    return any(
        each.status in MOVING
        or (each.status in goes_on and each.automatic and not batch.stopped and each.scheduled is None)
        for each in deployments
    )


class _OfSelectedRouters(ObjectAction):
    """Base of the buttons that lead to the page where many routers are deployed."""

    multi = True
    template_name = f"{APP}/deployments/selected_button.html"
    needs: tuple[str, ...] = (ADD,)
    icon = ""

    @classmethod
    def render(cls, context: Any, obj: Any, **kwargs: Any) -> str:
        may = context["request"].user.has_perms(cls.needs)
        return super().render(context, obj, **kwargs) if may else ""

    @classmethod
    def get_context(cls, context: Any, obj: Any) -> dict[str, Any]:
        return {"icon": cls.icon}


class CompareSelected(_OfSelectedRouters):
    name = "bulk_compare"
    label = _("Compare Selected")
    icon = "mdi-file-compare"


class DeploySelected(_OfSelectedRouters):
    name = "bulk_configure"
    label = _("Configure Selected")
    icon = "mdi-upload"
    needs = (ADD, COMMIT)


class DeployPushed(DeploySelected):
    """For a list of routers that something may be sent to: "all that match" are all of those."""

    @classmethod
    def get_url_params(cls, context: Any) -> Any:
        params = super().get_url_params(context)
        params["push_enabled"] = "true"
        return params
