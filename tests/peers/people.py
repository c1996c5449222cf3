"""Users with few rights."""

from itertools import count

from core.models import ObjectType
from users.models import ObjectPermission, User

_numbers = count(1)


def allowed(user, *models, constraints=None, actions=("view",)):
    """Give a user a permission for these models, and return the user as whom nothing is remembered of before."""
    permission = ObjectPermission.objects.create(
        name=f"{user} {next(_numbers)}", actions=list(actions), constraints=constraints
    )
    permission.object_types.set(ObjectType.objects.get_for_models(*models).values())
    permission.users.add(user)
    return User.objects.get(pk=user.pk)
