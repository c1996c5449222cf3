"""Whether a user's rights are limited to some objects, for where there is no object to hold them against."""

from typing import TYPE_CHECKING

from utilities.permissions import permission_is_exempt, qs_filter_from_constraints

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from users.models import User


def is_unconstrained(user: "User | AnonymousUser", permission: str) -> bool:
    """Whether `user` has `permission` ("app.action_model") for every object. Reads the user's rights, once."""
    if not user.has_perm(permission):
        return False
    if user.is_superuser or permission_is_exempt(permission):
        return True
    # Where NetBox's restrict() finds the constraints, filled by has_perm().
    constraints = getattr(user, "_object_perm_cache", {}).get(permission, [{"pk": None}])
    return not qs_filter_from_constraints(constraints)
