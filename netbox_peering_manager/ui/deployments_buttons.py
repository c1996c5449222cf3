"""Area `deployments`: the buttons that ask for one, on pages and lists of what can be configured."""

from typing import TYPE_CHECKING, Any

from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from netbox.object_actions import ObjectAction

from ..models import PeerASN, PeeringRouter, PeeringSession
from .napalm import why_no_napalm

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

__all__ = (
    "AdminDownSelected",
    "AdminUpSelected",
    "ConfigureSelected",
    "Deploy",
    "why_not_router",
)

APP = "netbox_peering_manager"
TEMPLATES = f"{APP}/deployments"
ADD, COMMIT, RUN = (f"{APP}.{action}_deployment" for action in ("add", "commit", "run_commands"))
SWITCH = (f"{APP}.change_peeringsession", "netbox_routing.change_bgppeer")


def why_not_router(router: PeeringRouter | None) -> str:
    """Return why nothing can be sent to the router of an object, "" when it can as far as NetBox knows."""
    if router is None:
        return _t("Its device is no peering router.")
    if not router.push_enabled:
        return _t("Push is switched off on the peering router {router}.").format(router=router)
    return ""


class Deploy(ObjectAction):
    """Configure, compare, and what else there is to deploy on this page. For who may add deployments."""

    name = "configure"
    label = _("Configure")
    url_kwargs = ["pk"]
    template_name = f"{TEMPLATES}/deploy_buttons.html"

    @classmethod
    def render(cls, context: Any, obj: Any, **kwargs: Any) -> str:
        return super().render(context, obj, **kwargs) if context["request"].user.has_perm(ADD) else ""

    @classmethod
    def get_context(cls, context: Any, obj: Any) -> dict:
        user = context["request"].user
        why_not, lacks_template = _why_not(obj)
        may_commit = user.has_perm(COMMIT)
        return {
            "csrf_token": get_token(context["request"]),
            "why_not_configure": why_not
            or lacks_template
            or ("" if may_commit else _t("You may not commit: compare, and let somebody who may commit it.")),
            "why_not_compare": why_not or lacks_template,
            "why_not_commands": why_not,
            "why_no_napalm": why_no_napalm(),
            "config_manager_url": _url(obj, "config_manager")
            if isinstance(obj, PeeringSession | PeeringRouter) and user.has_perm(RUN)
            else "",
            "multiple_url": _url(obj, "configure_sessions") if isinstance(obj, PeerASN) else "",
            **_switches(obj, user),
        }


def _why_not(obj: Any) -> tuple[str, str]:
    """Why nothing can be sent, and why nothing can be rendered; ("", "") of objects on several routers."""
    if isinstance(obj, PeeringSession):
        obj = getattr(obj.device, "peering_router", None)
    elif not isinstance(obj, PeeringRouter):
        return "", ""
    if reason := why_not_router(obj):
        return reason, ""
    if obj.config_template_id is None:
        return "", _t("The peering router {router} has no config template.").format(router=obj)
    return "", ""


def _switches(obj: Any, user: "AbstractBaseUser | AnonymousUser") -> dict[str, Any]:
    """Admin up and down, on sessions alone: the one that would change something first."""
    if not isinstance(obj, PeeringSession) or not user.has_perms(SWITCH):  # type: ignore[union-attr]
        return {"admin_up_url": "", "admin_down_url": ""}
    return {
        "admin_up_url": _url(obj, "admin_up"),
        "admin_down_url": _url(obj, "admin_down"),
        "is_enabled": obj.bgp_peer.enabled is not False,
    }


def _url(obj: Any, action: str) -> str:
    return reverse(f"plugins:{APP}:{obj._meta.model_name}_{action}", args=[obj.pk])


class _OfSelected(ObjectAction):
    """Base of the buttons that do something with the selected sessions."""

    multi = True
    template_name = f"{TEMPLATES}/selected_button.html"
    permissions: tuple[str, ...] = (ADD, COMMIT)
    icon = ""

    @classmethod
    def render(cls, context: Any, obj: Any, **kwargs: Any) -> str:
        return super().render(context, obj, **kwargs) if cls._may(context["request"].user) else ""

    @classmethod
    def _may(cls, user: Any) -> bool:
        return bool(user.has_perms(cls.permissions))

    @classmethod
    def get_context(cls, context: Any, obj: Any) -> dict:
        return {"icon": cls.icon}


class ConfigureSelected(_OfSelected):
    name = "bulk_configure"
    label = _("Configure Selected")
    icon = "mdi-upload"


class AdminUpSelected(_OfSelected):
    name = "bulk_admin_up"
    label = _("Admin Up")
    icon = "mdi-arrow-up-bold"
    permissions = (ADD, COMMIT, *SWITCH)


class AdminDownSelected(_OfSelected):
    name = "bulk_admin_down"
    label = _("Admin Down")
    icon = "mdi-arrow-down-bold"
    permissions = (ADD, COMMIT, *SWITCH)
