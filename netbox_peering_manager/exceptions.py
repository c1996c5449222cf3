"""
What can go wrong, by what the operator does next:

PeeringError
├── SecretError              a password cannot be read or kept: look at the encryption keys
├── ProvisioningError        a session cannot be made or removed as asked: correct the input
├── ExchangeError            an exchange cannot be made, linked, imported or renumbered as asked: correct what it names
├── RenderingError           a configuration cannot be rendered: correct the template or its data
│   ├── RenderingRefused     what was asked for is not there, or not for this user: correct the request
│   └── TemplateFailed       the template failed; knows template, line and message
├── RepairError              a drift cannot be repaired as asked: correct what it names, by hand
├── SyncError                a sync with PeeringDB cannot run, or was cut short: correct the request, or run it again
│   └── SyncRunning          another one runs: wait for it; knows who runs it since when
├── DeviceError              a router could not be asked or told something; says which and what it said
│   ├── NapalmMissing        NAPALM is not installed here: install the extra "napalm" on the workers
│   ├── DriverRefused        no driver of the settings is for this router: correct napalm_drivers or the router
│   ├── CredentialsMissing   nothing to log in with: correct credential_profiles, or type the credentials again
│   ├── DeviceUnreachable    no connection, or it was cut: look at the network, the address and the router's sshd
│   ├── DeviceTimeout        it did not answer in time: look at the router, or give it more time
│   ├── LoginRefused         user, password or key are not accepted: correct the credential profile
│   ├── HostKeyRefused       its host key is not the known one: compare it with the router's own, correct known_hosts
│   ├── DeviceLocked         somebody else configures it at this moment: wait
│   └── ConfigurationRefused the router does not accept the configuration: correct the template
├── DeploymentError          a deployment cannot do what was asked for; the router is as it was
│   ├── DeploymentRefused    not in this state, not by this user, not on this router: says why
│   ├── RouterBusy           another deployment is being sent to the router: wait for it; knows which
│   └── ReviewOutdated       the router or NetBox changed since the comparison: compare anew; says what changed
├── TakeoverError            sessions cannot be imported from a router as asked: correct what it names
│   └── TakeoverRefused      one neighbour cannot be, the others can: correct what it names, or leave it
└── PeeringDBError           PeeringDB did not tell what was asked for; the mirror keeps what it has
    ├── PeeringDBUnreachable no whole answer came: look at the network, the proxy and peeringdb_url, or try later
    ├── PeeringDBKeyRefused  the API key is not accepted: correct it, or have it allowed at PeeringDB
    ├── PeeringDBThrottled   too many requests: wait; knows until when
    ├── PeeringDBMalformed   the answer is not PeeringDB's: see what answers at peeringdb_url
    ├── PeeringDBUnknown     PeeringDB has no such network: correct the AS number
    └── RefusedRow           one row does not fit: nothing to do, it is kept aside with this reason
"""

from datetime import datetime

__all__ = (
    "ConfigurationRefused",
    "CredentialsMissing",
    "DeploymentError",
    "DeploymentRefused",
    "DeviceError",
    "DeviceLocked",
    "DeviceTimeout",
    "DeviceUnreachable",
    "DriverRefused",
    "ExchangeError",
    "HostKeyRefused",
    "LoginRefused",
    "NapalmMissing",
    "PeeringDBError",
    "PeeringDBKeyRefused",
    "PeeringDBMalformed",
    "PeeringDBThrottled",
    "PeeringDBUnknown",
    "PeeringDBUnreachable",
    "PeeringError",
    "PollRefused",
    "PollRunning",
    "ProvisioningError",
    "RefusedRow",
    "RenderingError",
    "RenderingRefused",
    "RepairError",
    "ReviewOutdated",
    "RouterBusy",
    "SecretError",
    "SyncError",
    "SyncRunning",
    "TakeoverError",
    "TakeoverRefused",
    "TemplateFailed",
)


class PeeringError(Exception):
    """Base of every error that the plugin raises itself."""


class SecretError(PeeringError):
    """A password could not be decrypted or encrypted. The message names the object and the setting, no secret."""


class ProvisioningError(PeeringError):
    """
    A session could not be made or removed; nothing was changed.

    `errors` maps a form or serializer field to its messages; the key None holds those of no single field. Of several
    sessions made together, `position` is the refused one's, from 0. `reason` is one of SkipReasonChoices.
    """

    position = 0

    def __init__(self, errors: dict[str | None, list[str]], reason: str = "invalid"):
        self.errors = errors
        self.reason = reason
        super().__init__(" ".join(message for messages in errors.values() for message in messages))


class ExchangeError(PeeringError):
    """
    A fabric could not be made, linked, imported or renumbered from PeeringDB; nothing was changed.

    `errors` maps a form field to its messages; the key None holds those of no single field.
    """

    def __init__(self, errors: dict[str | None, list[str]]):
        self.errors = errors
        super().__init__(" ".join(message for messages in errors.values() for message in messages))


class RenderingError(PeeringError):
    """A configuration could not be rendered; there is no partial text."""


class RenderingRefused(RenderingError):
    """
    Something asked for does not exist, may not be seen by the user, or does not fit the rest of the request.

    `errors` maps "template", "device" or "sessions" to messages. What may not be seen is told as what does not exist.
    """

    def __init__(self, errors: dict[str, list[str]]):
        self.errors = errors
        super().__init__(" ".join(message for messages in errors.values() for message in messages))


class TemplateFailed(RenderingError):
    """The template failed: its name, the line in it (None when Jinja tells none) and what Jinja said."""

    def __init__(self, template: str, line: int | None, message: str):
        self.template = template
        self.line = line
        self.message = message
        where = f"{template}, line {line}" if line else template
        super().__init__(f"{where}: {message}")


class RepairError(PeeringError):
    """Values of PeeringDB could not be taken over; nothing was changed. `problems` names each object and why."""

    def __init__(self, problems: list[str]):
        self.problems = problems
        super().__init__(" ".join(problems))


class PeeringDBError(PeeringError):
    """PeeringDB did not tell what was asked for. No message holds the API key."""


class PeeringDBUnreachable(PeeringDBError):
    """No whole answer came, however often it was asked for; or the answer led to another host."""


class PeeringDBKeyRefused(PeeringDBError):
    """The API key cannot be read or is not accepted; or PeeringDB wants one and there is none."""


class PeeringDBThrottled(PeeringDBError):
    """There were too many requests. `retry_at`, aware, is when the next one may be sent."""

    def __init__(self, message: str, retry_at: datetime):
        self.retry_at = retry_at
        super().__init__(message)


class PeeringDBMalformed(PeeringDBError):
    """The answer is not what PeeringDB's API sends: a web page, no `data`, JSON that is cut or broken."""


class PeeringDBUnknown(PeeringDBError):
    """PeeringDB knows no network with this AS number."""


class RefusedRow(PeeringDBError):
    """A row does not fit its record. `reason` names the field and the value, shortened; of contacts the field alone."""

    def __init__(self, reason: str):
        self.reason = reason
        super().__init__(reason)


class SyncError(PeeringError):
    """A sync with PeeringDB was asked for what does not go together, or the database ended it."""


class SyncRunning(SyncError):
    """Another sync runs. The message says who runs it and since when."""


class DeviceError(PeeringError):
    """A router could not be asked or told something. The message names the router and holds no secret."""


class NapalmMissing(DeviceError):
    """NAPALM is not installed where this runs."""


class DriverRefused(DeviceError):
    """No driver that the settings allow is for this router, or it has no address."""


class CredentialsMissing(DeviceError):
    """The router's credential profile is not there or cannot be read, or typed credentials are used up or too old."""


class DeviceUnreachable(DeviceError):
    """The router cannot be connected to, or the connection was lost."""


class DeviceTimeout(DeviceError):
    """The router did not answer in time."""


class LoginRefused(DeviceError):
    """The router does not accept the credentials."""


class HostKeyRefused(DeviceError):
    """The router showed a host key that is not known, or another one than is known. The message says which."""


class DeviceLocked(DeviceError):
    """Somebody else holds the router's configuration."""


class ConfigurationRefused(DeviceError):
    """The router does not accept a configuration."""


class DeploymentError(PeeringError):
    """A deployment cannot go on; the message says why, and holds no secret."""


class DeploymentRefused(DeploymentError):
    """What was asked for is not allowed: in this state, for this user, on this router."""


class RouterBusy(DeploymentError):
    """Another deployment is being sent to the router. The message says which, and who asked for it."""


class ReviewOutdated(DeploymentError):
    """What would be sent, or what it would change, is no longer what was reviewed. `changes`: a diff, masked."""

    def __init__(self, message: str, changes: str = ""):
        self.changes = changes
        super().__init__(message)


class PollRefused(PeeringError):
    """A poll was asked for that the user may not have, or of nothing that could be polled."""


class PollRunning(PollRefused):
    """Another poll of the same router runs."""


class TakeoverError(PeeringError):
    """Sessions could not be imported from a router; nothing was made."""


class TakeoverRefused(TakeoverError):
    """One neighbour cannot be imported; others can. `reason` is one of ImportReasonChoices."""

    def __init__(self, reason: str, text: str):
        self.reason = reason
        super().__init__(text)
