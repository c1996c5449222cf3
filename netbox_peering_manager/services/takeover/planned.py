"""
What is chosen, planned and done when sessions are imported: plain values between the stages. Pure: no Django.

Ids and text alone, so that choices can wait in a job queue, a plan be shown or sent as JSON, and a result be kept with
its job. No password is in any of them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

from ..provisioning.planned import PlannedObject

__all__ = (
    "Absent",
    "Choices",
    "Difference",
    "Different",
    "Group",
    "LeftOut",
    "New",
    "Outcome",
    "Plan",
    "Same",
    "Update",
)


class Update(StrEnum):
    """Which sessions that differ get what the router has: none, the chosen ones, or all."""

    NONE = "none"
    CHOSEN = "chosen"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Choices:
    """
    One choice for all sessions, objects by their ids.

    `lan` and `route_servers` are the relationships of sessions over a LAN (without the second, the first holds for
    both), `groups` those of others by Group.key, `others` that of the rest. `bfd` is for neighbours with BFD whose
    router names no profile. `without_policies`: sessions are made although NetBox lacks a route map of theirs, which is
    left to the user then. `take` are the keys of neighbours whose sessions are changed, with Update.CHOSEN.
    """

    lan: int | None = None
    route_servers: int | None = None
    others: int | None = None
    groups: Mapping[str, int] = field(default_factory=dict)
    make_missing: bool = True
    without_policies: bool = False
    bfd: int | None = None
    update: Update = Update.NONE
    take: tuple[str, ...] = ()

    @property
    def relationships(self) -> set[int]:
        return {pk for pk in (self.lan, self.route_servers, self.others, *self.groups.values()) if pk}

    def takes(self, key: str) -> bool:
        """Whether the session of this neighbour is to get what the router has."""
        return self.update is Update.ALL or (self.update is Update.CHOSEN and key in self.take)

    def as_data(self) -> dict[str, Any]:
        """Return the choices as JSON knows them, for Choices.from_data()."""
        return {
            **asdict(self),
            "update": self.update.value,
            "take": list(self.take),
            "groups": dict(self.groups),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the choices that as_data() gave. ValueError or TypeError for what it did not."""
        known = {each.name for each in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        if "update" in values:
            values["update"] = Update(values["update"])
        if "take" in values:
            values["take"] = tuple(values["take"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Neighbor:
    """Which neighbour it is: its key on the router, and what one recognizes it by."""

    key: str
    vrf: str
    remote_ip: str
    remote_asn: int | None
    description: str


@dataclass(frozen=True, slots=True)
class New:
    """
    A session to be made. `wraps`: its BGP peer is in NetBox. `makes` names what is made with it, by the kinds of
    PlannedObject; `notes` say what of it is not taken over.
    """

    neighbor: Neighbor
    relationship: str
    network: str
    local_ip: str
    local_asn: int | None
    peer_group: str
    enabled: bool
    is_route_server: bool
    wraps: bool
    families: tuple[str, ...]
    policies: tuple[str, ...]
    limits: tuple[str, ...]
    ttl: int | None
    bfd: str
    has_password: bool
    makes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Same:
    """A session that NetBox has as the router has it."""

    neighbor: Neighbor
    session_id: int


@dataclass(frozen=True, slots=True)
class Difference:
    """
    A field that NetBox has otherwise; texts, "" for nothing. `afi` of what is of one family. `can_take`: an import can
    change it. Of a password it is told only that it differs.
    """

    name: str
    netbox: str
    router: str
    can_take: bool = True
    afi: str = ""


@dataclass(frozen=True, slots=True)
class Different:
    """A session that NetBox has otherwise. `is_taken`: it gets what the router has, as far as can be."""

    neighbor: Neighbor
    session_id: int
    differences: tuple[Difference, ...]
    is_taken: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A neighbour that is not imported. `reason` is one of ImportReasonChoices."""

    neighbor: Neighbor
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Absent:
    """A session of NetBox's on this router that the router does not have."""

    session_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbours beyond all LANs that get one relationship: those of a peer group, or of an AS without one."""

    key: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do, in the router's order."""

    choices: Choices
    new: tuple[New, ...] = ()
    same: tuple[Same, ...] = ()
    different: tuple[Different, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    absent: tuple[Absent, ...] = ()
    objects: tuple[PlannedObject, ...] = ()
    groups: tuple[Group, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def made_objects(self) -> tuple[PlannedObject, ...]:
        return tuple(each for each in self.objects if each.pk is None)

    @property
    def taken(self) -> tuple[Different, ...]:
        """The sessions that would be changed."""
        return tuple(each for each in self.different if each.is_taken)

    def reviewed(self) -> dict[str, str]:
        """
        Return what would be done with which neighbour, as a digest: what somebody has looked at. Those that differ are
        among them whether they are chosen or not: what choosing them does is shown either way.
        """
        done: list[New | Different] = [*self.new, *self.different]
        return {each.neighbor.key: digest(each) for each in done}


def digest(item: New | Different) -> str:
    """Return what stands for a planned session, so that another plan for it is recognized."""
    # What else is made with it depends on which sessions are made before it, which is no change of it.
    shown = {name: value for name, value in asdict(item).items() if name not in ("makes", "is_taken")}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Done:
    """A session that was made, or changed in these fields."""

    neighbor: Neighbor
    session_id: int
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan. `objects` counts what else was made, by kind; `left_out` were refused, each alone."""

    made: tuple[Done, ...] = ()
    changed: tuple[Done, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    objects: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "Outcome") -> "Outcome":
        counted = dict(self.objects)
        for kind, number in other.objects.items():
            counted[kind] = counted.get(kind, 0) + number
        return Outcome(
            self.made + other.made, self.changed + other.changed, self.left_out + other.left_out, counted
        )

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON knows it, for the job that it was carried out in."""
        return {
            "made": [asdict(each) for each in self.made],
            "changed": [asdict(each) for each in self.changed],
            "left_out": [asdict(each) for each in self.left_out],
            "objects": dict(self.objects),
        }
