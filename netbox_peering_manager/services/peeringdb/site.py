"""Where PeeringDB shows its objects to people: the site beside the API that the settings name."""

from ...settings import get_setting

__all__ = ("site_url",)


def site_url(*path: str | int) -> str:
    """
    Return the address of PeeringDB's site, or with `path` (as "net", 4224) of a page there.

    The API lies below the site, under /api: https://www.peeringdb.com/api, https://beta.peeringdb.com/api.
    """
    site = get_setting("peeringdb_url").rstrip("/").removesuffix("/api")
    return "/".join([site, *map(str, path)])
