"""What every page says that has to do with routers, where NAPALM, which speaks to them, is not installed."""

from django.utils.translation import gettext as _

from ..jobs.base import ROUTERS_QUEUE, served
from ..services.devices.probe import is_napalm_installed

__all__ = ("why_no_napalm",)


def why_no_napalm() -> str:
    """
    Return what to install so that routers can be asked, "" when nothing lacks as far as this host can tell: workers of
    the plugin's own queue may have NAPALM where this host has none.
    """
    if is_napalm_installed() or served(ROUTERS_QUEUE) == ROUTERS_QUEUE:
        return ""
    return _(
        "NAPALM is not installed here, so no router can be asked. Install the plugin's wheel with the extra "
        '"napalm" where the workers run, and let a worker take jobs from the queue {queue}.'
    ).format(queue=ROUTERS_QUEUE)
