"""
Whether a router has the configuration that NetBox would give it. Nothing is changed on the router.

The full configuration is rendered, loaded in the router's own mode, compared, and discarded: what a deployment of the
whole router would find now. What differs is kept masked in RouterState; the sessions that it names differ
(`configured`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from ...choices import ConfigModeChoices, RouterDriftChoices
from ...exceptions import DeploymentRefused, DriverRefused, PeeringError, RouterBusy
from ...models import PeeringRouter, PeeringSession, RouterState
from ..devices.access import access_to
from ..devices.masking import masked
from ..rendering.peering import Rendered, render_peering
from . import configured, locks, sealed
from .line import Line, difference
from .naming import unnamed_in

__all__ = ("compare_router", "compares_exactly", "to_compare", "why_not_compare")

# What a comparison waits for a deployment of the same router that is only compared.
WAIT_S = 30


def compare_router(router: PeeringRouter) -> RouterState:
    """
    Compare `router` (see PeeringRouterQuerySet.with_access()) with NetBox, and return what is known of it now.

    A router that cannot be compared (no template, a template that fails, no answer) is told as failed, with the reason.
    RouterBusy while something is being sent to it: what was known stays.
    """
    with locks.held(router, wait_s=WAIT_S):
        # Before anything is read: what is edited from here on is newer than the comparison.
        began = timezone.now()
        if busy := locks.why_sending(router):
            raise RouterBusy(busy)
        secrets: tuple[str, ...] = ()
        try:
            rendered = _rendered(router)
            secrets = _secrets(rendered)
            with Line(router) as line:
                secrets = (*secrets, *line.secrets)
                replace = router.config_mode == ConfigModeChoices.REPLACE
                diff = line.ask(lambda device: difference(device, rendered.content, replace=replace))
        except RouterBusy:
            raise
        except PeeringError as error:
            failure = masked(str(error), secrets)
            return _keep(router, began, RouterDriftChoices.FAILED, failure=failure)
        differs = bool(sealed.canonical(diff))
        drift = RouterDriftChoices.DIFFERS if differs else RouterDriftChoices.SAME
        unnamed = unnamed_in(rendered.content, (each["remote_ip"] for each in rendered.context["sessions"]))
        return _keep(router, began, drift, diff=masked(diff, secrets) if differs else "", unnamed=unnamed)


def why_not_compare(router: PeeringRouter) -> str:
    """Return why the router is not compared, "" when it is: it takes what deployments of all of it take."""
    if not router.push_enabled:
        return _("{router}: nothing may be sent to it. Switch on push, on the peering router.").format(
            router=router
        )
    if not router.config_template_id:
        return _("{router} has no config template. Choose one, on the peering router.").format(router=router)
    return ""


def compares_exactly(router: PeeringRouter) -> bool:
    """Whether what differs is what would change. Not where a driver lists the lines that it does not find."""
    try:
        exact = access_to(router).capabilities.compare_exact
    except DriverRefused:
        # Nothing is compared.
        return True
    return exact or router.config_mode == ConfigModeChoices.REPLACE


def to_compare() -> list[PeeringRouter]:
    """
    Return the routers that are compared at the interval of the settings, in their order. One query. One without a
    template is among them: that is why it cannot be compared, and is told.
    """
    routers: Any = PeeringRouter.objects.filter(push_enabled=True)
    return list(routers.with_access())


def _rendered(router: PeeringRouter) -> Rendered:
    if reason := why_not_compare(router):
        raise DeploymentRefused(reason)
    return render_peering(router.config_template, device=router.device_id, reveal_secrets=True)


def _secrets(rendered: Rendered) -> tuple[str, ...]:
    return tuple(sorted({session["password"] for session in rendered.context["sessions"]} - {""}))


def _keep(
    router: PeeringRouter,
    at: datetime,
    drift: str,
    *,
    diff: str = "",
    failure: str = "",
    unnamed: Sequence[str] = (),
) -> RouterState:
    former = RouterState.objects.filter(router=router).first()
    since = former.drift_since if former else None
    if drift == RouterDriftChoices.DIFFERS:
        since = since or at
    elif drift == RouterDriftChoices.SAME:
        since = None
    state, _created = RouterState.objects.update_or_create(
        router=router,
        defaults={
            "drift": drift,
            "compared": at,
            "drift_since": since,
            "masked_diff": diff,
            "drift_failure": failure,
            "unnamed": list(unnamed),
        },
    )
    if drift != RouterDriftChoices.FAILED:
        sessions: Any = PeeringSession.objects
        configured.refresh(sessions.for_device(router.device_id).order_by().values_list("pk", flat=True))
    return state
