"""
What runs inside NetBox's own process: `python -m dev.inside migrate collectstatic admin`.

Started by `netbox.py` with the stack's environment. Several tasks share one process because NetBox takes
seconds to start.
"""

import sys

import django

from dev import state
from dev.netbox import ADMIN


def migrate():
    """Apply the migrations that are missing."""
    from django.core.management import call_command

    call_command("migrate", interactive=False)


def collectstatic():
    """Link the static files into NETBOX_ROOT. Links, so that an edited stylesheet needs no second run."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, link=True, verbosity=0)


def admin():
    """
    Make the superuser and its API token with this checkout's generated password, or set them back to it.
    """
    from django.contrib.auth import get_user_model

    from users.models import Token

    known = state.ensure_secrets()
    user, _ = get_user_model().objects.get_or_create(username=ADMIN)
    user.is_superuser = user.is_active = True
    user.set_password(known["admin_password"])
    user.save()
    token = Token.objects.filter(key=known["token_key"]).first()
    if token is None or not token.validate(known["token_secret"]):
        Token.objects.filter(key=known["token_key"]).delete()
        Token(
            user=user, key=known["token_key"], token=known["token_secret"], description="Local stack"
        ).save()


def worker():
    """Work on every queue that is configured: NetBox's three and the plugin's own. Does not return."""
    from django.conf import settings
    from django.core.management import call_command

    call_command("rqworker", *settings.RQ_QUEUES)


TASKS = {task.__name__: task for task in (migrate, collectstatic, admin, worker)}


def main(names):
    django.setup()
    for name in names:
        TASKS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
