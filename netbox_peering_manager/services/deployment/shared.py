"""
What the deployment of some sessions changes for others of the same router: route maps, lists, peer groups and BFD
profiles go by their names, and whoever uses one gets what it says now.

Read from the difference, which every platform writes in its own way, so in doubt something is changed: a name that
stands in a changed line, or above one, unless that line is about a session of the deployment itself.
"""

import ipaddress
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from ...choices import DeploymentKindChoices
from ..rendering.peering import gather

if TYPE_CHECKING:
    from ...models import Deployment
    from ..devices.neighbors import Neighbor
    from ..rendering.context import RouteMapContext, SessionContext

__all__ = ("Changed", "Thing", "changed_for_others", "names_in", "say", "things_of")

# No prefix: that of a list is not the address of a neighbour.
ADDRESS = re.compile(r"(?<![\w.:/])[0-9A-Fa-f:.]{3,}(?![\w:/])")
MARKS = ("+", "-")
CHANGED = (*MARKS, "!")
HEADINGS = ("+++", "---", "@@")
# So many sessions are named, the others are counted.
SHOWN = 10


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """Something that sessions use by its name. `kind`: "route map", "peer group" …; "session" for one itself."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Changed:
    """What is changed, and the addresses of the other sessions that use it, in their order."""

    thing: Thing
    users: tuple[str, ...]


def changed_for_others(
    deployment: "Deployment", diff: str, neighbors: "Collection[Neighbor] | None"
) -> tuple[Changed, ...]:
    """
    Return what a deployment of some sessions changes for others that are on its router. `neighbors`: those that the
    router has, None when it cannot tell: then all that NetBox has. At most 26 queries; RenderingError as in `gather`.
    """
    if not deployment.partial or deployment.kind == DeploymentKindChoices.COMMANDS or not diff.strip():
        return ()
    context = gather(deployment.router.device_id).context
    targets = list(deployment.targets.all())
    own = {str(ipaddress.ip_address(target.remote_ip)) for target in targets}
    ids = {target.session_id for target in targets}
    there = None if neighbors is None else {(one.vrf, one.remote_ip) for one in neighbors}
    others = [
        session
        for session in context["sessions"]
        if session["id"] not in ids
        and (there is None or (session["vrf"] or "", session["remote_ip"]) in there)
    ]
    uses = {session["id"]: things_of(session, context["route_maps"]) for session in others}
    changed = names_in(diff, {thing for used in uses.values() for thing in used}, own)
    return tuple(
        Changed(thing, tuple(one["remote_ip"] for one in others if thing in uses[one["id"]]))
        for thing in sorted(changed)
    )


def say(changed: Iterable[Changed], router: Any) -> str:
    """Return it as people are told it."""
    parts = (f"{one.thing} ({_named(one.users)})" for one in changed)
    return _(
        "Beside its sessions it changes what others on {router} use: {changed}. It is sent once somebody has said so."
    ).format(router=router, changed="; ".join(parts))


def things_of(session: "SessionContext", route_maps: "Iterable[RouteMapContext]") -> frozenset[Thing]:
    """Return itself and all that the session uses, also what its route maps use in turn. Pure."""
    used = {Thing(_("session"), session["remote_ip"])}
    if session["peer_group"]:
        used.add(Thing(_("peer group"), session["peer_group"]["name"]))
    if session["bfd_profile"]:
        used.add(Thing(_("BFD profile"), session["bfd_profile"]["name"]))
    maps = set()
    families: Iterable[Mapping[str, Any]] = session["address_families"]
    for family in families:
        for way in ("in", "out"):
            if route_map := family[f"route_map_{way}"]:
                maps.add(route_map["name"])
            if prefix_list := family[f"prefix_list_{way}"]:
                used.add(Thing(_("prefix list"), prefix_list["name"]))
    used |= {Thing(_("route map"), name) for name in maps}
    for one in route_maps:
        if one["name"] in maps:
            used |= set(_lists_of(one))
    return frozenset(used)


def names_in(diff: str, things: Collection[Thing], own: Collection[str]) -> frozenset[Thing]:
    """Return those of `things` that `diff` changes. `own`: addresses of the sessions that it is about. Pure."""
    about = "\n".join(_foreign(diff, frozenset(own)))
    addresses = set(_addresses(about))
    return frozenset(
        thing
        for thing in things
        if (thing.name in addresses if thing.kind == _("session") else _pattern(thing.name).search(about))
    )


def _lists_of(route_map: "RouteMapContext") -> Iterator[Thing]:
    for entry in route_map["entries"]:
        yield from (Thing(_("prefix list"), name) for name in entry["match_prefix_lists"])
        yield from (Thing(_("community list"), name) for name in entry["match_community_lists"])
        yield from (Thing(_("AS-path list"), name) for name in entry["match_as_paths"])
        # Such as a list of communities that are deleted.
        yield from (
            Thing(_("list"), word)
            for word in re.findall(r'"([^"\d][^"]*)"', json.dumps(_values(entry["set"])))
        )


def _values(said: Any) -> Any:
    if isinstance(said, Mapping):
        return [_values(value) for value in said.values()]
    return [_values(value) for value in said] if isinstance(said, (list, tuple)) else said


def _foreign(diff: str, own: frozenset[str]) -> Iterator[str]:
    """
    Yield each changed line that is not about these addresses, with all that stands above it: the lines that it is
    indented under, and the last one that has not changed (FRR's headings), or the place (Junos).
    """
    marked = any(line.startswith(MARKS) for line in diff.splitlines())
    place = heading = ""
    above: list[tuple[int, str]] = []
    for line in diff.splitlines():
        if line.startswith("[edit") or (marked and line.startswith(HEADINGS)):
            place, heading, above = line if line.startswith("[edit") else "", "", []
            continue
        text = line[1:] if marked else line
        if not re.search(r"\w", text):
            # Nothing, or the end of a block.
            continue
        indent = len(text) - len(text.lstrip())
        above = [(other, parent) for other, parent in above if other < indent]
        if not marked or line.startswith(CHANGED):
            block = [place, *(parent for _indent, parent in above), text]
            if own.isdisjoint(_addresses("\n".join(block))):
                yield "\n".join((heading, *block))
        else:
            heading = text
        above.append((indent, text))


def _addresses(text: str) -> Iterator[str]:
    for word in ADDRESS.findall(text):
        try:
            yield str(ipaddress.ip_address(word))
        except ValueError:
            continue


def _pattern(name: str) -> re.Pattern[str]:
    """However a template spells it: with other signs between its words, or something before or after."""
    words = map(re.escape, re.findall(r"[^\W_]+", name))
    return re.compile(rf"(?<![^\W_]){r'[\W_]{0,3}'.join(words)}(?![^\W_])", re.IGNORECASE)


def _named(users: tuple[str, ...]) -> str:
    shown = ", ".join(users[:SHOWN])
    more = len(users) - SHOWN
    return _("{sessions} and {count} more").format(sessions=shown, count=more) if more > 0 else shown
