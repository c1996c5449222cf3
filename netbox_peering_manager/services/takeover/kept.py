"""
What was read of a router, until somebody has looked at it: encrypted in Redis, for an hour.

It holds the passwords of sessions, so it is in no job and no page. It lies in the Redis of NetBox's tasks, the one that
web servers and workers share for certain; the job that read it is its name.
"""

import zlib
from base64 import b64decode, b64encode
from typing import Any

import django_rq
from django.utils.translation import gettext as _

from ...exceptions import SecretError, TakeoverError
from ..secrets import decrypt, encrypt
from .found import Found

__all__ = ("KEPT_S", "keep", "look")

KEPT_S = 3600
PREFIX = "netbox_peering_manager:found:"


def keep(name: str, found: Found) -> None:
    """Keep it under this name for KEPT_S seconds. SecretError when it cannot be encrypted."""
    packed = b64encode(zlib.compress(found.as_text().encode())).decode()
    _redis().set(PREFIX + name, encrypt(packed), ex=KEPT_S)


def look(name: str, owner: object) -> Found:
    """Return what is kept. TakeoverError, naming `owner` (the router), when it is gone or was kept with another key."""
    kept = _redis().get(PREFIX + name)
    if kept is None:
        raise TakeoverError(
            _("{owner}: what was read of it is no longer kept: that is for an hour. Read it again.").format(
                owner=owner
            )
        )
    try:
        packed = decrypt(kept.decode(), owner)
    except SecretError as error:
        raise TakeoverError(
            _(
                "{owner}: what was read of it cannot be decrypted: the worker that read it has other encryption_keys. "
                "Give both the same, then read it again."
            ).format(owner=owner)
        ) from error
    return Found.from_text(zlib.decompress(b64decode(packed)).decode())


def _redis() -> Any:
    return django_rq.get_connection("default")
