"""
Session passwords: encrypted at rest, revealed to those who may see them, masked for everyone else.

BGPPeer.password is a plain column that netbox-routing's REST API and change log show, so a password given
through this plugin is kept on the PeeringSession instead, encrypted with Fernet (AES-128-CBC with
HMAC-SHA256). The keys come from the setting `encryption_keys`, the first one encrypting and all of them
decrypting, so that a key can be rotated: put the new one first, run `netbox peering_reencrypt`, drop the old
one. NetBox's SECRET_KEY encrypts while that list is empty, and always decrypts.

This is the only module that reads or writes `PeeringSession.encrypted_password`.
"""

import base64
import secrets
import string
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ..exceptions import SecretError
from ..settings import get_setting, read_secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import AnonymousUser

    from netbox_routing.models import BGPSessionTemplate
    from users.models import User

    from ..models import PeeringSession

MASK = "********"
# Letters and digits alone, which no router's command line takes for something else; 24 of them have 142 bits, and fit
# the shortest limit that routers have for a TCP MD5 key (25 characters).
GENERATED_LENGTH = 24
GENERATED_FROM = string.ascii_letters + string.digits
PERMISSION = "netbox_peering_manager.view_session_secrets_peeringsession"
ACTION = "view_session_secrets"


def encrypt(plaintext: str) -> str:
    """
    Return `plaintext` encrypted with the first key, as ASCII text. SecretError when a key cannot be read.
    """
    return _fernet().encrypt(plaintext.encode()).decode()


def decrypt(token: str, owner: object) -> str:
    """Return the plaintext of `token`. SecretError, naming `owner`, when no key fits."""
    return decrypt_all([(token, owner)])[0]


def decrypt_all(tokens: "Iterable[tuple[str, object]]") -> list[str]:
    """
    Return the plaintexts of (token, owner) pairs, in their order; an empty token gives an empty text.

    The keys are derived once. SecretError, naming the first owner whose token no key fits.
    """
    fernet = _fernet()
    plaintexts = []
    for token, owner in tokens:
        try:
            plaintexts.append(fernet.decrypt(token.encode()).decode() if token else "")
        except InvalidToken as error:
            raise SecretError(
                _(
                    "The password of {owner} cannot be decrypted: none of the plugin's encryption_keys, nor "
                    "SECRET_KEY, fits. Add the key that it was kept with, or enter the password anew."
                ).format(owner=owner)
            ) from error
    return plaintexts


def generate_password() -> str:
    """Return a new random password that any router takes."""
    return "".join(secrets.choice(GENERATED_FROM) for _ in range(GENERATED_LENGTH))


def set_password(session: "PeeringSession", plaintext: str) -> None:
    """Put `plaintext` on the session, encrypted; an empty text removes the password. The caller saves."""
    for field, value in password_fields(plaintext).items():
        setattr(session, field, value)


def password_fields(plaintext: str) -> dict[str, Any]:
    """Return the fields of a session that has this password, for those that make one in a single step."""
    return {
        "encrypted_password": encrypt(plaintext) if plaintext else "",
        "password_changed": timezone.now(),
    }


def reveal_password(session: "PeeringSession") -> str:
    """
    Return the session's password in clear, an empty text when it has none.

    Its own first, then one found in the plain column of its BGPPeer, then of the session template or the nearest of
    its parents that has one. The caller has checked `may_view_secrets`.
    """
    if session.encrypted_password:
        return decrypt(session.encrypted_password, session)
    return session.bgp_peer.password or getattr(inherited_from(session), "password", "")


def inherited_from(session: "PeeringSession") -> "BGPSessionTemplate | None":
    """Return the session template whose password a session without one of its own has, None when none has one."""
    return next((template for template in session.session_templates() if template.password), None)


def may_view_secrets(user: "User | AnonymousUser", session: "PeeringSession") -> bool:
    """
    Whether `user` may see this session's password: `view_session_secrets` in an object permission that fits
    it.
    """
    return bool(user.has_perm(PERMISSION, session))


@transaction.atomic
def move_clear_password(session: "PeeringSession") -> None:
    """
    Take the password that lies in the plain column of the session's BGPPeer and keep it encrypted on the
    session.

    A password that the session already has wins, as it does in rendering; the plain column is emptied either
    way. Change records are written as for any edit; they hold what the plain column held before, as every
    earlier one does: change the password with the peer if that matters.
    """
    peer = session.bgp_peer
    if not peer.password:
        return
    if not session.encrypted_password:
        session.snapshot()
        set_password(session, peer.password)
        session.save()
    peer.snapshot()
    peer.password = ""
    peer.save()


@transaction.atomic
def reencrypt_all() -> int:
    """
    Re-encrypt every session's password with the first key and return how many there were; all or nothing.

    Nothing that users see changes, so no change records are written. SecretError when one cannot be
    decrypted.
    """
    from ..models import PeeringSession

    sessions = list(
        PeeringSession.objects.exclude(encrypted_password="").order_by("pk").select_for_update(of=("self",))
    )
    plaintexts = decrypt_all((session.encrypted_password, f"session {session.pk}") for session in sessions)
    fernet = _fernet()
    for session, plaintext in zip(sessions, plaintexts, strict=True):
        session.encrypted_password = fernet.encrypt(plaintext.encode()).decode()
    PeeringSession.objects.bulk_update(sessions, ["encrypted_password"], batch_size=500)
    return len(sessions)


def keys_for(purpose: str) -> list[bytes]:
    """
    Return a key of 32 bytes for `purpose` out of each encryption key, the one in use first. SecretError when one
    cannot be read.
    """
    try:
        named = [read_secret(source) for source in get_setting("encryption_keys")]
    except ImproperlyConfigured as error:
        raise SecretError(str(error)) from error
    return [_derive_key(secret, purpose) for secret in (*named, settings.SECRET_KEY)]


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys_for("session password")])


def _derive_key(secret: str, purpose: str) -> bytes:
    # HKDF (RFC 5869), with a purpose of its own so that the key is never one that NetBox uses for something
    # else.
    info = f"netbox_peering_manager {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret.encode())
