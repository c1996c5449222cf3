"""What of deployments somebody may read; rights.py has the rule. For pages and REST: lists cost what one costs."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from ...choices import DeploymentKindChoices
from ...exceptions import PeeringError
from ...models import Deployment, DeploymentSession, PeeringSession
from ..devices.masking import masked
from . import rights, sealed
from .mentions import addresses_in

__all__ = ("Reading", "commands_shown", "text_shown", "why_hidden")


def why_hidden() -> str:
    """Return what stands where something is left out."""
    return _("Hidden: it is about sessions that you may not view.")


def text_shown(text: str, is_read: bool) -> str:
    """Return `text`, or that it is hidden when it names neighbours and is not read by who may view all of them."""
    return text if is_read or not addresses_in(text) else why_hidden()


class Reading:
    """What `user` may read of these deployments. Four queries at most, none for who may view every session."""

    def __init__(self, user: Any, deployments: Collection[Deployment]) -> None:
        self._user = user
        self._deployments = deployments

    def texts(self, deployment: Deployment) -> bool:
        """Whether they may read its text and its changes."""
        return deployment.pk in self._readable

    def reason(self, deployment: Deployment, reason: str) -> str:
        """Return `reason`, or that it is hidden when it names neighbours and they may not read it."""
        # Who may read it is asked for only where that matters.
        return text_shown(reason, not addresses_in(reason) or self.texts(deployment))

    def neighbors(
        self, deployment: Deployment, kept: Sequence[Mapping[str, Any]] | None
    ) -> list[Mapping[str, Any]] | None:
        """Return those of `sessions_before` or `sessions_after` whose session they may view."""
        if kept is None or deployment.pk in self._whole:
            return None if kept is None else list(kept)
        seen = self._neighbors.get(deployment.router.device_id, set())
        return [one for one in kept if (one["vrf"], one["remote_ip"]) in seen]

    def targets(self, deployment: Deployment) -> list[DeploymentSession]:
        """Return the sessions that it is about, as far as they may view them."""
        targets = list(deployment.targets.all())
        if deployment.pk in self._whole:
            return targets
        return [one for one in targets if one.session_id in self._sessions]

    @cached_property
    def _readable(self) -> set[int]:
        return rights.may_read(self._user, self._deployments)

    @cached_property
    def _whole(self) -> set[int]:
        return rights.may_read(self._user, self._deployments, whole=True)

    @cached_property
    def _neighbors(self) -> dict[int, set[tuple[str, str]]]:
        """Of each device, (VRF, address) of the sessions that the user may view."""
        devices = {one.router.device_id for one in self._deployments}
        visible = PeeringSession.objects.restrict(self._user, "view").order_by()
        found: dict[int, set[tuple[str, str]]] = {}
        for device, vrf, address in visible.filter(bgp_peer__scope__router__device__in=devices).values_list(
            "bgp_peer__scope__router__device", "bgp_peer__scope__vrf__name", "bgp_peer__peer__address"
        ):
            if address is not None:
                found.setdefault(device, set()).add((vrf or "", str(address.ip)))
        return found

    @cached_property
    def _sessions(self) -> set[int]:
        wanted = {target.session_id for one in self._deployments for target in one.targets.all()} - {None}
        visible = PeeringSession.objects.restrict(self._user, "view").filter(pk__in=wanted).order_by()
        return set(visible.values_list("pk", flat=True))


def commands_shown(deployment: Deployment, user: Any) -> str:
    """
    Return the one-time commands of `deployment`, masked, for who asked for them or may approve them; "" for others, and
    once it has ended: they are kept nowhere but sealed.
    """
    if deployment.kind != DeploymentKindChoices.COMMANDS or deployment.has_ended:
        return ""
    is_own = deployment.requested_by_id is not None and deployment.requested_by_id == user.pk
    if not is_own and not (
        rights.may(user, rights.APPROVE, deployment) and rights.may_read(user, [deployment])
    ):
        return ""
    try:
        contents = sealed.opened(deployment)
    except PeeringError as error:
        return str(error)
    return masked(contents.text, contents.secrets)
