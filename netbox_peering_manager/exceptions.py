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
    "ExchangeError",
    "PeeringDBError",
    "PeeringDBKeyRefused",
    "PeeringDBMalformed",
    "PeeringDBThrottled",
    "PeeringDBUnknown",
    "PeeringDBUnreachable",
    "PeeringError",
    "ProvisioningError",
    "RefusedRow",
    "RenderingError",
    "RenderingRefused",
    "RepairError",
    "SecretError",
    "SyncError",
    "SyncRunning",
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
