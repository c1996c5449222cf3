"""
What can go wrong, by what the operator does next:

PeeringError
├── SecretError              a password cannot be read or kept: look at the encryption keys
├── ProvisioningError        a session cannot be made or removed as asked: correct the input
└── RenderingError           a configuration cannot be rendered: correct the template or its data
    ├── RenderingRefused     what was asked for is not there, or not for this user: correct the request
    └── TemplateFailed       the template failed; knows template, line and message
"""

__all__ = (
    "PeeringError",
    "ProvisioningError",
    "RenderingError",
    "RenderingRefused",
    "SecretError",
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
    sessions made together, `position` is the refused one's, from 0.
    """

    position = 0

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
