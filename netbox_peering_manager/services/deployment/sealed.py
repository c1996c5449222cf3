"""
What a deployment sends: kept encrypted while it may still be sent, and recognised by digests afterwards.

The only module that reads or writes `Deployment.encrypted_text`. Digests are HMAC-SHA256 under a key derived from the
plugin's encryption keys: a plain digest of a text that holds a short password would let it be guessed.
"""

import hmac
import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from ...exceptions import DeploymentError
from .. import secrets

if TYPE_CHECKING:
    from ...models import Deployment

__all__ = ("Sealed", "canonical", "digest", "fits", "opened", "reencrypt_all", "seal")

PURPOSE = "deployment digest"
# EOS and IOS-XR head their differences with names of sessions and times, which are new in each.
HEADING = re.compile(r"^(---|\+\+\+)(\s|$)")


@dataclass(frozen=True, slots=True)
class Sealed:
    """
    What is sent to the router. `secrets`: the passwords in it, to be masked wherever it is shown or quoted. `going`:
    the neighbours, as (vrf, address), that it takes down on purpose.
    """

    text: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    going: frozenset[tuple[str, str]] = frozenset()


def seal(sealed: Sealed) -> str:
    """Return the value of `encrypted_text`. SecretError when a key cannot be read."""
    kept = {"text": sealed.text, "secrets": list(sealed.secrets), "going": sorted(sealed.going)}
    return secrets.encrypt(json.dumps(kept))


def opened(deployment: "Deployment") -> Sealed:
    """
    Return what `seal` was given. DeploymentError when the deployment has ended, so that it is forgotten; SecretError
    when no key fits.
    """
    if not deployment.encrypted_text:
        raise DeploymentError(
            _("{deployment} has ended: nothing of it can be sent.").format(deployment=deployment)
        )
    kept = json.loads(secrets.decrypt(deployment.encrypted_text, deployment))
    going = frozenset((vrf, address) for vrf, address in kept["going"])
    return Sealed(kept["text"], tuple(kept["secrets"]), going)


def digest(text: str) -> str:
    """Return the digest of a text, 64 hexadecimal digits."""
    return _digest(secrets.keys_for(PURPOSE)[0], text)


def fits(kept: str, text: str) -> bool:
    """Whether `kept` is the digest of `text`, under any of the encryption keys: they may have been changed since."""
    return any(hmac.compare_digest(kept, _digest(key, text)) for key in secrets.keys_for(PURPOSE))


def canonical(diff: str) -> str:
    """Return a difference without what is new each time that it is asked for."""
    lines = (line.rstrip() for line in diff.splitlines())
    return "\n".join(line for line in lines if line and not HEADING.match(line))


def reencrypt_all() -> int:
    """Encrypt anew, with the first key, what waits to be sent. Returns how many deployments that was."""
    from ...models import Deployment

    waiting = list(
        Deployment.objects.exclude(encrypted_text="").select_for_update(of=("self",)).order_by("pk")
    )
    texts = secrets.decrypt_all((one.encrypted_text, one) for one in waiting)
    for one, text in zip(waiting, texts, strict=True):
        one.encrypted_text = secrets.encrypt(text)
    Deployment.objects.bulk_update(waiting, ["encrypted_text"], batch_size=500)
    return len(waiting)


def _digest(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), sha256).hexdigest()
