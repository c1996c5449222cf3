"""
The whole way from the database to a router's configuration: what faces, templates and deployments call.

What is reviewed is what is committed: a `Rendered` carries text and digest together, and nothing renders
again in between.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from .. import secrets as session_secrets
from .build import build_context
from .context import PeeringContext
from .effective import resolve
from .load import load
from .policies import load_policies
from .render import render_text
from .sql import one_snapshot

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from extras.models import ConfigTemplate

__all__ = ("Gathered", "Rendered", "gather", "render_peering")

type Secrets = Literal["clear", "masked", "none"]


@dataclass(frozen=True, slots=True)
class Gathered:
    """A template context, and how its passwords come: "masked" when any does, "none" when there are none."""

    context: PeeringContext = field(repr=False)
    secrets: Secrets

    @property
    def session_count(self) -> int:
        return len(self.context["sessions"])


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered configuration. `digest` is the SHA-256 of the text's UTF-8 bytes, in hexadecimal."""

    content: str = field(repr=False)
    context: PeeringContext = field(repr=False)
    session_count: int
    secrets: Secrets
    digest: str


def gather(
    device: int | None = None,
    sessions: Collection[int] | None = None,
    user: "AbstractBaseUser | AnonymousUser | None" = None,
    reveal_secrets: bool = False,
    removed: Collection[int] | None = None,
) -> Gathered:
    """
    Return the context of a device's sessions, or of exactly these sessions, on that device if one is given
    (all by id). `removed`: which of the device's RemovedSessions are in it; None: all of them. With it the sessions are
    a part of the device's: what they share with others (peer groups, route maps) is as it is for all of the device.

    With a user: only what they may view, passwords only with `view_session_secrets`. Without one the caller
    is trusted: everything, and passwords masked unless `reveal_secrets`. At most 25 queries, for a part of a
    device twice that, because all of it is read as well; the database is seen at one moment. RenderingRefused
    when the device or a session is not there (or not for the user, or not on the device), SecretError when a
    password cannot be decrypted.
    """
    with one_snapshot():
        loaded = load(device, sessions, user, reveal_secrets, removed)
        effective = resolve(loaded, session_secrets.MASK)
        policies = load_policies(effective)
        context = build_context(loaded, effective, policies)
        if device is not None and removed is not None:
            _share(context, gather(device).context)
    return Gathered(context, _how_secrets_come(set(effective.passwords), loaded.revealed))


def render_peering(
    template: "ConfigTemplate",
    device: int | None = None,
    sessions: Collection[int] | None = None,
    user: "AbstractBaseUser | AnonymousUser | None" = None,
    reveal_secrets: bool = False,
    removed: Collection[int] | None = None,
) -> Rendered:
    """
    Render the template over what `gather` returns for the other arguments.

    The caller has checked that the user may render the template. Errors are those of `gather`, and
    TemplateFailed; there is never partial text.
    """
    gathered = gather(device, sessions, user, reveal_secrets, removed)
    content = render_text(template, gathered.context)
    return Rendered(
        content=content,
        context=gathered.context,
        session_count=gathered.session_count,
        secrets=gathered.secrets,
        digest=sha256(content.encode()).hexdigest(),
    )


def _share(part: PeeringContext, whole: PeeringContext) -> None:
    """Say of peer groups and route maps what is true for all sessions that use them, not only for the part's."""
    groups = {group["id"]: group for group in whole["peer_groups"]}
    part["peer_groups"] = [groups[group["id"]] for group in part["peer_groups"]]
    route_maps = {route_map["id"]: route_map for route_map in whole["route_maps"]}
    part["route_maps"] = [route_maps[route_map["id"]] for route_map in part["route_maps"]]


def _how_secrets_come(with_password: set[int], revealed: frozenset[int]) -> Secrets:
    if not with_password:
        return "none"
    return "clear" if with_password <= revealed else "masked"
