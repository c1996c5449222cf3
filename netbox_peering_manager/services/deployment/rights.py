"""Who may do what with deployments: NetBox's object permissions, held against the deployment as it stands."""

from typing import TYPE_CHECKING

from utilities.permissions import get_permission_for_model

from ...models import Deployment

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = ("ADD", "APPROVE", "CHANGE", "COMMIT", "RUN_COMMANDS", "may")

ADD, CHANGE, APPROVE, COMMIT, RUN_COMMANDS = "add", "change", "approve", "commit", "run_commands"


def may(user: "AbstractBaseUser | None", action: str, deployment: Deployment | None = None) -> bool:
    """Whether `user`, who has to be active, may do this with the deployment; without one: with any at all."""
    if user is None or not user.is_active:
        return False
    if deployment is None:
        return bool(user.has_perm(get_permission_for_model(Deployment, action)))  # type: ignore[attr-defined]
    return Deployment.objects.restrict(user, action).filter(pk=deployment.pk).exists()
