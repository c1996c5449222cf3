"""Which rights a user has: without limits where there is no object to hold them against, and on which objects."""

from typing import TYPE_CHECKING, Any

from utilities.permissions import get_permission_for_model, permission_is_exempt, qs_filter_from_constraints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import AnonymousUser
    from django.db.models import Model

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


def allowed_pks(
    rows: "Sequence[Model]", user: "User | AnonymousUser | None", action: str = "view"
) -> set[Any]:
    """
    Return the primary keys of those of `rows`, all of one model, with which `user` may do `action`; all without a user.

    One query at most: none for users whose right is not limited to some objects.
    """
    pks = {row.pk for row in rows}
    if not pks or user is None:
        return pks
    model = type(rows[0])
    if is_unconstrained(user, get_permission_for_model(model, action)):
        return pks
    manager: Any = model._default_manager
    return set(manager.restrict(user, action).filter(pk__in=pks).order_by().values_list("pk", flat=True))
