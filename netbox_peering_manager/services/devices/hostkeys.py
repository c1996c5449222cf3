"""
Which host key or certificate a router shows, and whether it is the known one.

The drivers check for themselves (`arguments`), before a password is sent. This looks once more when one could not
connect, because most of them do not tell a wrong key from a router that is switched off.
"""

import base64
import hashlib
import socket
import ssl
from contextlib import closing
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from .arguments import checked_by, known_hosts_of, port_of

if TYPE_CHECKING:
    from .access import Access

__all__ = ("fingerprint", "why_refused")


def why_refused(access: "Access") -> str:
    """
    Connect without logging in. Return why the router's key is not to be trusted, with its type and fingerprint and
    where the known ones are; "" when it is known, or nothing checks it.

    Raises OSError (TimeoutError among them), EOFError and paramiko's SSHException when there is no connection.
    """
    checked = checked_by(access)
    if not access.strict or checked == "none":
        return ""
    return _why_no_certificate(access) if checked == "tls" else _why_no_host_key(access)


def fingerprint(data: bytes) -> str:
    """As `ssh-keygen -l` writes it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _why_no_host_key(access: "Access") -> str:
    known = _known_keys(access)
    shown = _shown_key(access, tuple(known))
    expected = known.get(shown.get_name())
    seen = f"{shown.get_name()} {fingerprint(shown.asbytes())}"
    if expected is None:
        return _(
            "{router} showed the host key {seen}, and {file} has none of this type for {host}. Nothing was sent. "
            "Compare it with the router's own, then add it to the file."
        ).format(router=access.name, seen=seen, file=known_hosts_of(access), host=_lookup_name(access))
    if expected.asbytes() == shown.asbytes():
        return ""
    return _(
        "{router} showed the host key {seen}, but {file} has {expected} for {host}. Nothing was sent. If the "
        "router's key was really changed, replace that line."
    ).format(
        router=access.name,
        seen=seen,
        file=known_hosts_of(access),
        expected=fingerprint(expected.asbytes()),
        host=_lookup_name(access),
    )


def _lookup_name(access: "Access") -> str:
    port = port_of(access)
    return access.host if port == 22 else f"[{access.host}]:{port}"


def _known_keys(access: "Access") -> dict[str, Any]:
    """Type → key, as the file has them for the router."""
    import paramiko

    path = known_hosts_of(access)
    if not path.is_file():
        return {}
    return dict(paramiko.HostKeys(str(path)).lookup(_lookup_name(access)) or {})


def _shown_key(access: "Access", preferred: tuple[str, ...]) -> Any:
    import paramiko

    connection = socket.create_connection((access.host, port_of(access)), access.timeout_s)
    with closing(paramiko.Transport(connection)) as transport:
        # Longer than the time that is waited: what comes late is told apart by that.
        transport.banner_timeout = transport.handshake_timeout = access.timeout_s + 5
        options = transport.get_security_options()
        # Of the types that both know, the known one first, as SSH clients do.
        options.key_types = [
            *(each for each in preferred if each in options.key_types),
            *(each for each in options.key_types if each not in preferred),
        ]
        transport.start_client(timeout=access.timeout_s)
        if not transport.initial_kex_done:
            raise TimeoutError
        return transport.get_remote_server_key()


def _why_no_certificate(access: "Access") -> str:
    # Only the driver knows of a certificate authority of its own; then its word has to do.
    if not isinstance(access.arguments.get("ssl_verify", True), bool) or access.arguments.get("context"):
        return ""
    try:
        _tls(access, ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        unchecked = ssl.create_default_context()
        unchecked.check_hostname = False
        unchecked.verify_mode = ssl.CERT_NONE
        shown = _tls(access, unchecked)
        return _(
            "{router} showed a certificate that is not trusted ({seen}): {why}. Nothing was sent. Let its authority be "
            "known to the worker (SSL_CERT_FILE, REQUESTS_CA_BUNDLE), or have it signed by one that is."
        ).format(router=access.name, seen=fingerprint(shown), why=error.verify_message)
    return ""


def _tls(access: "Access", context: ssl.SSLContext) -> bytes:
    """The certificate that the router shows, DER."""
    with (
        socket.create_connection((access.host, port_of(access)), access.timeout_s) as connection,
        context.wrap_socket(connection, server_hostname=access.host) as shown,
    ):
        return shown.getpeercert(binary_form=True) or b""
