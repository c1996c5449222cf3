"""
How a deployment comes to be: somebody asks for it, what would be sent is rendered at once, and is sealed.

    who may ask (router, sessions, deployment) → render → seal → the row, its sessions, its first step
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from extras.models import CustomField

from ...choices import ApprovalChoices, ConfigModeChoices, DeploymentKindChoices
from ...exceptions import DeploymentRefused, DriverRefused
from ...models import Deployment, DeploymentSession, PeeringRouter, PeeringSession, RemovedSession
from ...settings import get_setting
from ..devices.access import access_to
from ..devices.masking import masked, secrets_of
from ..devices.typed import keep
from ..rendering.peering import Rendered, render_peering
from . import health, moves, sealed
from .removal import removed_in
from .rights import ADD, COMMIT, RUN_COMMANDS, may

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from ..devices.credentials import Credentials

__all__ = ("good_until", "render", "request")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for. `sessions` and `removed` None: all of the router."""

    kind: str
    sessions: frozenset[int] | None
    removed: frozenset[int] | None
    mode: str
    commands: str = field(default="", repr=False)

    @property
    def is_partial(self) -> bool:
        return self.kind != DeploymentKindChoices.COMMANDS and self.sessions is not None


def request(
    router: PeeringRouter,
    user: "AbstractBaseUser",
    *,
    kind: str = DeploymentKindChoices.CONFIGURE,
    sessions: Collection[int] | None = None,
    removed: Collection[int] | None = None,
    commands: str = "",
    mode: str | None = None,
    automatic: bool = False,
    scheduled: datetime | None = None,
    credentials: "Credentials | None" = None,
    batch: Any = None,
    reason: str = "",
) -> Deployment:
    """
    Make a deployment of `router`, rendered and ready to be compared.

    `sessions` and `removed` are ids of PeeringSession and RemovedSession; without either it is about all of the router.
    Of kind "remove" only `removed` counts, of "commands" only `commands`. `automatic`: it is committed as soon as it
    may be; `scheduled`: then. With `credentials` (typed by the user) it has to be automatic, because they are kept for
    minutes; the token for them is the deployment's `typed_token`, which DeploymentJob.start() hands on.

    DeploymentRefused says what is not allowed and what to do; RenderingError and SecretError why it cannot be rendered.
    Nothing is made then.
    """
    _refuse(_why_not_router(router, user))
    asked = _asked(router, kind, sessions, removed, commands, mode)
    _refuse(_why_not_when(router, automatic, scheduled, credentials))
    _refuse(_why_not_sessions(router, user, asked))
    contents, rendered = _contents(router, asked)
    deployment = Deployment(
        router=router,
        kind=kind,
        partial=asked.is_partial,
        mode=asked.mode,
        automatic=automatic,
        scheduled=scheduled,
        own_credentials=credentials is not None,
        requested_by=user,
        released_by=user if automatic or scheduled else None,
        batch=batch,
        reason=masked(reason, contents.secrets),
        expires=good_until(scheduled),
        encrypted_text=sealed.seal(contents),
        masked_text=_text_to_keep(asked, contents),
        text_digest=sealed.digest(contents.text),
    )
    with transaction.atomic():
        _check(deployment)
        deployment.save()
        DeploymentSession.objects.bulk_create(_targets(deployment, asked, rendered))
        # An object permission may be for some routers, kinds or modes alone, which the row shows.
        _refuse(_why_not_row(deployment, user))
        moves.begin(deployment, user=user, reason=deployment.reason)
    if credentials is not None:
        # For the job that is started next; the row does not have it.
        deployment.typed_token = keep(credentials)
    return deployment


def good_until(scheduled: datetime | None = None) -> datetime:
    """Return until when a comparison or an approval of now is good: as long after the time that it is planned for."""
    now = timezone.now()
    return max(now, scheduled or now) + timedelta(hours=get_setting("deployment_valid_h"))


def render(deployment: Deployment) -> sealed.Sealed:
    """
    Return what the deployment would send if it were asked for now. RenderingError and SecretError as in `request`.

    Not for one-time commands, which nothing renders.
    """
    router = deployment.router
    if not router.config_template:
        raise DeploymentRefused(_why_no_template(router))
    sessions, removed = _still_wanted(deployment) if deployment.partial else (None, None)
    return _sendable(_rendered(router, sessions, removed))


def _refuse(reason: str) -> None:
    if reason:
        raise DeploymentRefused(reason)


def _why_not_router(router: PeeringRouter, user: "AbstractBaseUser") -> str:
    if not PeeringRouter.objects.restrict(user, "view").filter(pk=router.pk).exists():
        return _("There is no such router, or you may not view it.")
    if not may(user, ADD):
        return _("You may not deploy: you need the permission to add deployments.")
    if not router.push_enabled:
        return _("{router}: nothing may be sent to it. Switch on push, on the peering router.").format(
            router=router
        )
    try:
        access_to(router)
    except DriverRefused as error:
        return str(error)
    return ""


def _asked(
    router: PeeringRouter,
    kind: str,
    sessions: Collection[int] | None,
    removed: Collection[int] | None,
    commands: str,
    mode: str | None,
) -> _Asked:
    partial = sessions is not None or removed is not None
    wanted = frozenset(sessions or ()) if partial else None
    gone = frozenset(removed or ()) if partial else None
    match kind:
        case DeploymentKindChoices.COMMANDS:
            partial, wanted, gone = True, None, None
            if not commands.strip():
                raise DeploymentRefused(_("There are no commands to send."))
        case DeploymentKindChoices.REMOVE:
            partial, wanted, gone = True, frozenset(), frozenset(removed or ())
            if not gone:
                raise DeploymentRefused(_("There is no session to remove."))
        case _:
            if partial and not (wanted or gone):
                raise DeploymentRefused(_("There is no session to configure."))
    if kind != DeploymentKindChoices.COMMANDS and not router.config_template:
        raise DeploymentRefused(_why_no_template(router))
    return _Asked(kind, wanted, gone, _mode(router, partial, mode), commands)


def _mode(router: PeeringRouter, partial: bool, mode: str | None) -> str:
    """Whatever is not the whole configuration is added to it."""
    if partial and mode == ConfigModeChoices.REPLACE:
        raise DeploymentRefused(
            _("A part of a configuration cannot replace all of it. Deploy the whole router, or merge.")
        )
    chosen = ConfigModeChoices.MERGE if partial else (mode or router.config_mode)
    capabilities = access_to(router).capabilities
    if not (capabilities.replace if chosen == ConfigModeChoices.REPLACE else capabilities.merge):
        raise DeploymentRefused(
            _("{router}: its driver cannot {mode} a configuration. Choose another mode.").format(
                router=router, mode=chosen
            )
        )
    return str(chosen)


def _why_no_template(router: PeeringRouter) -> str:
    return _("{router} has no config template. Choose one, on the peering router.").format(router=router)


def _why_not_when(
    router: PeeringRouter,
    automatic: bool,
    scheduled: datetime | None,
    credentials: "Credentials | None",
) -> str:
    if scheduled is not None and scheduled <= timezone.now():
        return _("The time that it is scheduled for has passed. Choose a later one, or configure now.")
    if credentials is None:
        return ""
    if scheduled is not None or not automatic:
        return _(
            "Typed credentials are kept for minutes: with them a deployment has to be committed at once."
        )
    if router.approval != ApprovalChoices.NONE:
        return _(
            "Typed credentials are kept for minutes, and what is sent to {router} has to be approved first. Use the "
            "router's own credential profile."
        ).format(router=router)
    return ""


def _why_not_sessions(router: PeeringRouter, user: "AbstractBaseUser", asked: _Asked) -> str:
    """Whoever asks sees what would be sent, so has to be allowed to view each session in it."""
    if asked.kind == DeploymentKindChoices.COMMANDS:
        return ""
    on_router = PeeringSession.objects.for_device(router.device_id)
    visible = on_router.restrict(user, "view").order_by().values_list("pk", flat=True)
    if asked.sessions is None:
        if on_router.exclude(pk__in=visible).exists():
            return _(
                "{router} has sessions that you may not view. Deploy those that you may, or ask somebody who may view "
                "all of them."
            ).format(router=router)
        return ""
    if missing := sorted(asked.sessions - set(visible.filter(pk__in=asked.sessions))):
        return _("{router} has no session with ID {ids}, or you may not view it.").format(
            router=router, ids=", ".join(map(str, missing))
        )
    gone = RemovedSession.objects.filter(device=router.device_id, pk__in=asked.removed or ())
    if missing := sorted((asked.removed or frozenset()) - set(gone.values_list("pk", flat=True))):
        return _("{router} has no removed session with ID {ids}.").format(
            router=router, ids=", ".join(map(str, missing))
        )
    return ""


def _check(deployment: Deployment) -> None:
    """DeploymentRefused when the row is not valid, by NetBox's rules: required custom fields, custom validators."""
    # Given by save() otherwise, too late for those that are required.
    deployment.custom_field_data = CustomField.objects.get_defaults_for_model(deployment)
    try:
        deployment.full_clean()
    except ValidationError as error:
        raise DeploymentRefused(
            _("{router}: the deployment is not valid: {why}").format(
                router=deployment.router, why=" ".join(error.messages)
            )
        ) from error


def _why_not_row(deployment: Deployment, user: "AbstractBaseUser") -> str:
    if not may(user, ADD, deployment):
        return _("You may not deploy this to {router}.").format(router=deployment.router)
    if deployment.kind == DeploymentKindChoices.COMMANDS and not may(user, RUN_COMMANDS, deployment):
        return _("You may not send one-time commands to {router}.").format(router=deployment.router)
    if deployment.released_by_id and not may(user, COMMIT, deployment):
        return _(
            "You may not commit what is sent to {router}. Ask for it to be compared, and let somebody who may "
            "commit it."
        ).format(router=deployment.router)
    return ""


def _contents(router: PeeringRouter, asked: _Asked) -> tuple[sealed.Sealed, Rendered | None]:
    if asked.kind == DeploymentKindChoices.COMMANDS:
        text = asked.commands.replace("\r\n", "\n")
        return sealed.Sealed(text, secrets_of(text)), None
    rendered = _rendered(router, asked.sessions, asked.removed)
    if not rendered.content.strip():
        raise DeploymentRefused(_("{router}: its config template renders nothing.").format(router=router))
    return _sendable(rendered), rendered


def _sendable(rendered: Rendered) -> sealed.Sealed:
    passwords = {session["password"] for session in rendered.context["sessions"]} - {""}
    return sealed.Sealed(rendered.content, tuple(sorted(passwords)), _going(rendered))


def _text_to_keep(asked: _Asked, contents: sealed.Sealed) -> str:
    """What is kept for good. Of one-time commands nothing: in what people type no rule finds every secret."""
    return "" if asked.kind == DeploymentKindChoices.COMMANDS else masked(contents.text, contents.secrets)


def _rendered(
    router: PeeringRouter, sessions: Collection[int] | None, removed: Collection[int] | None
) -> Rendered:
    return render_peering(
        router.config_template,
        device=router.device_id,
        sessions=sessions,
        reveal_secrets=True,
        removed=removed,
    )


def _going(rendered: Rendered) -> frozenset[health.Key]:
    """The neighbours that are switched off or deleted in NetBox."""
    context = rendered.context
    off = {group["id"] for group in context["peer_groups"] if not group["enabled"]}
    disabled = (
        session
        for session in context["sessions"]
        if not session["enabled"] or (session["peer_group"] and session["peer_group"]["id"] in off)
    )
    removed = context["removed_sessions"]
    return frozenset((one["vrf"] or "", one["remote_ip"]) for one in (*disabled, *removed))


def _targets(deployment: Deployment, asked: _Asked, rendered: Rendered | None) -> list[DeploymentSession]:
    if not asked.is_partial or rendered is None:
        return []
    return [
        DeploymentSession(
            deployment=deployment,
            session_id=one.get("id"),
            vrf=one["vrf"] or "",
            remote_ip=one["remote_ip"],
            local_interface=(one["local_interface"] or "") if _is_link_local(one["remote_ip"]) else "",
            name=one["name"],
        )
        for one in (*rendered.context["sessions"], *rendered.context["removed_sessions"])
    ]


def _is_link_local(address: str) -> bool:
    return address.lower().startswith(("fe8", "fe9", "fea", "feb"))


def _still_wanted(deployment: Deployment) -> tuple[list[int], list[int]]:
    """The ids of the sessions and removed sessions that a partial deployment is about, as they are now."""
    sessions = deployment.targets.exclude(session=None).order_by().values_list("session_id", flat=True)
    return list(sessions), [row.pk for row in removed_in(deployment)]
