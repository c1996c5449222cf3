"""What the settings offer to routers: drivers and credential profiles, by name."""

from django.utils.translation import gettext as _

from ...settings import get_setting

__all__ = ("drivers", "profiles", "why_unknown")


def drivers() -> list[str]:
    """The names of the NAPALM drivers that the settings allow, in order, each once."""
    return sorted({each["driver"] for each in get_setting("napalm_drivers").values()})


def profiles() -> list[str]:
    """The names of the credential profiles, in order."""
    return sorted(get_setting("credential_profiles"))


def why_unknown(field: str, name: str) -> str:
    """Return why the settings do not know `name` as a router's `napalm_driver` or `credential_profile`; "": they do."""
    known, setting = {
        "napalm_driver": (drivers, "napalm_drivers"),
        "credential_profile": (profiles, "credential_profiles"),
    }[field]
    found = known()
    if not name or name in found:
        return ""
    return _("{name} is not in {setting} of the plugin's settings. There is: {found}.").format(
        name=name, setting=setting, found=", ".join(found) or _("nothing")
    )
