"""
Credentials that a user typed for one deployment: encrypted in Redis until they are used, or for ten minutes.

They lie in the Redis of NetBox's tasks, the one that web servers and workers share for certain. Only their token goes
into a job or a deployment; it is worth nothing once they are taken.
"""

import hashlib
import json
from dataclasses import asdict
from typing import Any

import django_rq
from django.utils.translation import gettext as _

from ...exceptions import CredentialsMissing, SecretError
from ..secrets import decrypt, encrypt
from .credentials import Credentials, new_token

__all__ = ("KEPT_S", "keep", "take")

KEPT_S = 600
PREFIX = "netbox_peering_manager:credentials:"


def keep(credentials: Credentials) -> str:
    """Keep them for KEPT_S seconds. Return the token to take them with. SecretError when they cannot be encrypted."""
    token = new_token()
    _redis().set(_key(token), encrypt(json.dumps(asdict(credentials))), ex=KEPT_S)
    return token


def take(token: str, owner: object) -> Credentials:
    """
    Return what was kept, once: of two that ask at the same time, one gets it.

    CredentialsMissing, naming `owner`, when it was taken before, is too old, or was kept with a key that is gone.
    """
    # GETDEL in one step, for servers that are older than it (Redis 6.2).
    kept, _deleted = _redis().pipeline(transaction=True).get(_key(token)).delete(_key(token)).execute()
    if kept is None:
        raise CredentialsMissing(
            _(
                "{owner}: the credentials that were typed for this are no longer there: they are used once, within ten "
                "minutes. Type them again."
            ).format(owner=owner)
        )
    try:
        return Credentials(**json.loads(decrypt(kept.decode(), owner)))
    except SecretError:
        reason = _(
            "{owner}: the credentials that were typed for this cannot be decrypted: this worker has other "
            "encryption_keys than the web server. Give it the same, then type them again."
        ).format(owner=owner)
    raise CredentialsMissing(reason)


def _key(token: str) -> str:
    # Whoever may list the keys learns no token.
    return PREFIX + hashlib.sha256(token.encode()).hexdigest()


def _redis() -> Any:
    return django_rq.get_connection("default")
