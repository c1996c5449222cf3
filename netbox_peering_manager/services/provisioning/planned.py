"""
What is chosen, planned and done when many sessions are added: plain values between the stages. Pure: no Django.

Ids and text alone, so that a choice can wait in a job queue, a plan be shown or sent as JSON, and a result be kept with
its job. No password is in any of them but as services.secrets encrypted it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Self


class MaxPrefixes(StrEnum):
    """The limit that each session gets: none of its own (its peer ASN's holds), or PeeringDB's, plus a margin."""

    NONE = "none"
    PEERINGDB = "peeringdb"


class Password(StrEnum):
    """The password of each session: none, one for all, or one of its own."""

    NONE = "none"
    GIVEN = "given"
    GENERATED = "generated"


class RouteServers(StrEnum):
    """What becomes of ports whose AS is that of the LAN's route servers: flagged as such, or left out."""

    FLAG = "flag"
    LEAVE_OUT = "leave-out"


@dataclass(frozen=True, slots=True)
class Choices:
    """
    One choice for all sessions, objects by their ids.

    `connections` empty: every connection on the ports' LANs that the user may view. `route_server_relationship` None:
    the same as for others. `margin_percent` is added to PeeringDB's prefix count, see `limit`. `password_token` is
    the given password as services.secrets.encrypt() returned it, and in no repr.
    """

    relationship: int
    connections: tuple[int, ...] = ()
    families: tuple[int, ...] = (4, 6)
    route_servers: RouteServers = RouteServers.FLAG
    route_server_relationship: int | None = None
    with_not_operational: bool = False
    local_as: int | None = None
    peer_group: int | None = None
    status: str = "active"
    enabled: bool = True
    max_prefixes: MaxPrefixes = MaxPrefixes.NONE
    margin_percent: int = 0
    password: Password = Password.NONE
    password_token: str = field(default="", repr=False)
    bfd: int | None = None
    ttl: int | None = None
    service_reference: str = ""
    description: str = ""
    tags: tuple[int, ...] = ()

    def limit(self, suggested: int | None) -> int | None:
        """
        Return the limit of a session whose peer suggests so many prefixes; None for none of its own.

        A margin is rounded up, so that it is never less than asked for: 15 % more than 110 are 127.
        """
        if self.max_prefixes is MaxPrefixes.NONE or suggested is None:
            return None
        return -(-suggested * (100 + self.margin_percent) // 100)

    def as_data(self) -> dict[str, Any]:
        """Return the choices as JSON knows them, for Choices.from_data()."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the choices that as_data() gave. ValueError or TypeError for what it did not."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        for name in ("connections", "families", "tags"):
            if name in values:
                values[name] = tuple(values[name])
        for name, kind in (
            ("max_prefixes", MaxPrefixes),
            ("password", Password),
            ("route_servers", RouteServers),
        ):
            if name in values:
                values[name] = kind(values[name])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """
    A session to be made: the port in PeeringDB, our connection and a family say which one.

    Addresses are without mask. `suggested_prefixes` is PeeringDB's prefix count, `max_prefixes` the session's own
    limit, None for none. `makes` names what is made with it: "rir", "asn", "peer_asn", "address", "family"; each is
    made once, with the first session that needs it.
    """

    netixlan_id: int
    connection_id: int
    family: int
    asn: int
    peer: str
    address: str
    source: str
    network: str
    connection: str
    scope: str
    local_asn: int
    name: str
    relationship_id: int
    relationship: str
    max_prefixes: int | None
    suggested_prefixes: int | None
    is_route_server: bool
    has_password: bool
    makes: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[int, int, int]:
        return (self.netixlan_id, self.connection_id, self.family)


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """
    An object that sessions need beside their own: `kind` as in PlannedSession.makes, `name`, and what it holds in
    words. `pk` is its id, None when it is to be made.
    """

    kind: str
    name: str
    details: str = ""
    pk: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """
    A session that is not made, or all of a port's (`family` None). `reason` is one of SkipReasonChoices, `text` says
    it of this one.
    """

    netixlan_id: int
    reason: str
    text: str
    asn: int | None = None
    peer: str = ""
    address: str = ""
    connection_id: int | None = None
    connection: str = ""
    family: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be made, in this order; what that takes; what not, and why."""

    choices: Choices
    sessions: tuple[PlannedSession, ...] = ()
    objects: tuple[PlannedObject, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def made_objects(self) -> tuple[PlannedObject, ...]:
        return tuple(item for item in self.objects if item.pk is None)

    @property
    def reused_objects(self) -> tuple[PlannedObject, ...]:
        return tuple(item for item in self.objects if item.pk is not None)

    def reviewed(self) -> list[list[Any]]:
        """
        Return who is planned at which ports, for plan_sessions(): [netixlan id, AS number, IPv4, IPv6 address] of each,
        None for a family that is not planned.
        """
        ports: dict[int, list[Any]] = {}
        for session in self.sessions:
            seen = ports.setdefault(session.netixlan_id, [session.netixlan_id, session.asn, None, None])
            seen[2 if session.family == 4 else 3] = session.address
        return list(ports.values())


@dataclass(frozen=True, slots=True)
class Made:
    """A session that was made."""

    session_id: int
    netixlan_id: int
    connection_id: int
    family: int
    asn: int
    peer: str
    address: str
    connection: str


@dataclass(frozen=True, slots=True)
class Result:
    """
    What became of a plan. `objects` counts what else was made, by the kinds of PlannedObject; `skipped` are those
    that were there by then or were refused, each alone.
    """

    made: tuple[Made, ...] = ()
    objects: Mapping[str, int] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()

    def __add__(self, other: "Result") -> "Result":
        counted = Counter(self.objects) + Counter(other.objects)
        return Result(self.made + other.made, dict(counted), self.skipped + other.skipped)


def skipped_session(session: PlannedSession, reason: str, text: str) -> Skipped:
    """Return a planned session as one that is not made."""
    return Skipped(
        netixlan_id=session.netixlan_id,
        reason=reason,
        text=text,
        asn=session.asn,
        peer=session.peer,
        address=session.address,
        connection_id=session.connection_id,
        connection=session.connection,
        family=session.family,
    )


def outcome(plan: Plan, result: Result) -> dict[str, Any]:
    """
    Return what became of a plan, as JSON knows it, for the job that it was carried out in.

    "made": the sessions as Made, "objects": what else was made, and "reused": what was used, counted by kind,
    "skipped": as Skipped, those of the plan first.
    """
    return {
        "made": [asdict(made) for made in result.made],
        "objects": dict(result.objects),
        "reused": dict(Counter(item.kind for item in plan.reused_objects)),
        "skipped": [asdict(item) for item in (*plan.skipped, *result.skipped)],
    }
