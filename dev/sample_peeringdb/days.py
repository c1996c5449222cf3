"""
What the next day brings to a world: networks come and go, ports move, addresses are swapped and renumbered.

    day = next_day(world, changes=2000)

The same world always has the same next day. Our own network and its ports are left alone; what shall happen to them is
asked for by name: `renumber(world, ixlan_id)`, `swap(...)`, `move(...)`, `world.change(...)`,
`world.delete(...)`.
"""

import ipaddress
import random
from dataclasses import dataclass, field

from dev.sample_peeringdb import rows
from dev.sample_peeringdb.exchanges import FIRST_HOST, SPEEDS
from dev.sample_peeringdb.generate import FIRST_ASN, POLICIES
from dev.sample_peeringdb.maker import CONTACTS, PLACES
from dev.sample_peeringdb.schema import PARENTS
from dev.sample_peeringdb.world import CHILDREN, DAY_S, LanAddresses, stamp

# AS numbers of networks that came on a later day.
FIRST_NEW_ASN = FIRST_ASN + 500000
# An exchange or network is renumbered or deleted only when few rows hang on it.
FEW_CHILDREN = 6


@dataclass
class Day:
    """What a day brought, as lists of (tag, id). No row is in two of `created`, `changed` and `deleted`."""

    created: list = field(default_factory=list)
    changed: list = field(default_factory=list)
    deleted: list = field(default_factory=list)
    vanished: list = field(default_factory=list)  # gone without a tombstone
    swapped: list = field(default_factory=list)  # pairs of netixlan ids; the ports are in `changed` too
    moved: list = field(default_factory=list)  # netixlan ids, in `changed` too
    renumbered: list = field(default_factory=list)  # ixlan ids; prefixes and ports are in `changed`

    @property
    def touched(self):
        """Everything that `since` shows, as a set of (tag, id)."""
        return {*self.created, *self.changed, *self.deleted}


def next_day(world, *, changes=100, renumber=None, vanish=0):
    """
    Let a day pass in a world. Returns the Day.

    `changes` rows are touched, exactly, as far as the world has enough rows. `renumber` names an ixlan that gets
    another IPv4 prefix; when None a small one is taken where we are not. `vanish` further rows disappear without a
    tombstone. `updated` moves forward, and several rows share a second.
    """
    return _Day(world, changes).pass_(renumber, vanish)


def swap(world, first_id, second_id, *, at=None):
    """Let two ports exchange their addresses, in the same second. Returns their ids."""
    at = world.tick() if at is None else at
    first, second = world.get("netixlan", first_id), world.get("netixlan", second_id)
    for one, other in ((first, second), (second, first)):
        world.change("netixlan", one["id"], at=at, ipaddr4=other["ipaddr4"], ipaddr6=other["ipaddr6"])
    return first_id, second_id


def move(world, netixlan_id, ixlan_id, addresses, *, at=None):
    """Move a port to another LAN, where it gets the addresses (IPv4, IPv6)."""
    lan = world.get("ixlan", ixlan_id)
    exchange = world.get("ix", lan["ix_id"])
    world.change(
        "netixlan",
        netixlan_id,
        at=at,
        ix_id=exchange["id"],
        ixlan_id=ixlan_id,
        name=exchange["name"],
        ipaddr4=addresses[0],
        ipaddr6=addresses[1],
        net_side_id=None,
        ix_side_id=None,
    )


def renumber(world, ixlan_id, *, family=4, lagging=(), at=None):
    """
    Give a LAN another prefix of the same length. Its ports keep their host part; those in `lagging` (netixlan ids)
    have not been changed yet and still name an address of the old prefix. Returns what changed as (tag, id).
    """
    at = world.tick() if at is None else at
    old = world.lan(ixlan_id)[family]
    new = world.prefixes.take6() if family == 6 else world.prefixes.take4(old.prefixlen)
    changed = []
    for prefix in world.find("ixpfx", ixlan_id=ixlan_id, prefix=str(old)):
        world.change("ixpfx", prefix["id"], at=at, prefix=str(new))
        changed.append(("ixpfx", prefix["id"]))
    name = f"ipaddr{family}"
    for port in world.find("netixlan", ixlan_id=ixlan_id):
        if port[name] is not None and port["id"] not in lagging:
            host = int(ipaddress.ip_address(port[name])) - int(old[0])
            world.change("netixlan", port["id"], at=at, **{name: str(new[host])})
            changed.append(("netixlan", port["id"]))
    return changed


class _Below:
    """The `ok` rows below a row, found without reading whole tables each time."""

    def __init__(self, world):
        self._world = world
        self._ids = {}  # (type of child, field, id of parent) -> ids of children
        for tag in {
            child for fields in CHILDREN.values() for children in fields.values() for child in children
        }:
            for row in world.rows(tag):
                self.note(tag, row)

    def note(self, tag, row):
        """Remember a row under its parents."""
        for name in PARENTS:
            if row.get(name) is not None:
                self._ids.setdefault((tag, name, row[name]), []).append(row["id"])

    def of(self, child, name, pk):
        """The `ok` rows of a type that point at a parent, in the order in which they came."""
        found = (self._world.get(child, each) for each in self._ids.get((child, name, pk), ()))
        return [row for row in found if row["status"] == "ok" and row[name] == pk]


class _Free:
    """Addresses that nobody has, LAN by LAN. What was freed during the day is not given out again."""

    def __init__(self, world, below):
        self._world = world
        self._below = below
        self._lans = {}

    def take(self, ixlan_id):
        """(IPv4, IPv6) that are free on the LAN, or None when it is full."""
        if ixlan_id not in self._lans:
            prefixes = self._world.lan(ixlan_id)
            addresses = LanAddresses(prefixes.get(4), prefixes.get(6))
            ports = self._below.of("netixlan", "ixlan_id", ixlan_id)
            used = {port[name] for port in ports for name in ("ipaddr4", "ipaddr6")}
            self._lans[ixlan_id] = [addresses, used, FIRST_HOST + len(ports)]
        addresses, used, host = lan = self._lans[ixlan_id]
        last = (addresses.prefix4.num_addresses if addresses.prefix4 else 4096) - 8
        for number in (*range(host, last), *range(FIRST_HOST, host)):
            found = addresses.of(number)
            if not used & {address for address in found if address}:
                lan[2] = number + 1
                used.update(found)
                return found
        return None

    def forget(self, ixlan_id):
        """The LAN has other prefixes now."""
        self._lans.pop(ixlan_id, None)


class _Day:
    def __init__(self, world, changes):
        self.world = world
        self.changes = changes
        self.rng = random.Random(f"{world.seed}/{world.size}/{world.days}")  # noqa: S311  (repeatable on purpose)
        self.day = Day()
        self.touched = set()
        self.below = _Below(world)
        self.free = _Free(world, self.below)
        # Several rows share a second; a day is long enough for all.
        self.pace = (0, 0, 1, max(1, 40000 // max(1, changes)))
        self.our_net_id = world.our_net_id
        self.pools = {
            tag: [row["id"] for row in world.rows(tag)]
            for tag in ("net", "netixlan", "netfac", "fac", "poc", "ixlan")
        }
        self.gone = [row["id"] for row in world.rows("netixlan", "deleted")]

    def pass_(self, renumbered, vanish):
        world, evening = self.world, self.world.now + DAY_S
        world.tick()
        self._renumber(renumbered)
        # Everything happens at least once, then whatever the dice say.
        for happening in _HAPPENINGS:
            if self.left >= 1:
                self._let(happening)
        idle = 0
        while self.left and idle < 200:
            happening = self.rng.choices(tuple(_HAPPENINGS), tuple(_HAPPENINGS.values()))[0]
            idle = 0 if self._let(happening) else idle + 1
        for _ in range(vanish):
            self._vanish()
        world.now = max(world.now, evening)
        world.days += 1
        return self.day

    @property
    def left(self):
        return self.changes - len(self.touched)

    # Choosing and noting

    def _let(self, happening):
        """Let one thing happen. Returns whether it did."""
        before = len(self.touched)
        self.world.tick(self.rng.choice(self.pace))
        happening(self)
        return len(self.touched) > before

    def pick(self, tag, fits=lambda row: True):
        """An `ok` row that nothing happened to today and that fits, or None after some tries."""
        pool = self.pools[tag]
        for _ in range(20 if pool else 0):
            row = self.world.get(tag, self.rng.choice(pool))
            if row["status"] == "ok" and not self.is_taken(tag, row) and fits(row):
                return row
        return None

    def is_taken(self, tag, row):
        """Whether a row is not for this day's dice: it had its turn, or it is ours."""
        ours = row["id"] if tag == "net" else row.get("net_id")
        return (tag, row["id"]) in self.touched or ours == self.our_net_id

    def change(self, tag, row, **fields):
        self.world.change(tag, row["id"], at=self.world.now, **fields)
        self.day.changed.append((tag, row["id"]))
        self.touched.add((tag, row["id"]))

    def create(self, tag, *args, **more):
        now = stamp(self.world.now)
        made = self.world.add(
            tag, getattr(rows, tag)(self.world.next_id(tag), *args, stamp=(now, now), **more)
        )
        self.note_created(tag, made)
        return made

    def note_created(self, tag, made):
        self.below.note(tag, made)
        self.day.created.append((tag, made["id"]))
        self.touched.add((tag, made["id"]))

    def delete(self, tag, row):
        gone = self.world.delete(tag, row["id"], at=self.world.now)
        self.day.deleted += gone
        self.touched.update(gone)

    def few_below(self, tag, row):
        """Whether so little hangs on a row, and none of it had its turn, that it may be deleted."""
        below = [
            (child, found)
            for name, children in CHILDREN[tag].items()
            for child in children
            for found in self.below.of(child, name, row["id"])
        ]
        return len(below) < min(FEW_CHILDREN, self.left) and not any(self.is_taken(*one) for one in below)

    def _renumber(self, ixlan_id):
        world = self.world
        if ixlan_id is None:
            lan = self.pick("ixlan", lambda row: self._is_cheap(row["id"]))
            ixlan_id = lan and lan["id"]
        if ixlan_id is not None:
            changed = renumber(world, ixlan_id, at=world.now)
            self.free.forget(ixlan_id)
            self.day.renumbered.append(ixlan_id)
            self.day.changed += changed
            self.touched.update(changed)

    def _is_cheap(self, ixlan_id):
        """Whether a LAN where we are not has so few ports that renumbering it leaves room for other changes."""
        ports = self.below.of("netixlan", "ixlan_id", ixlan_id)
        ours = any(port["asn"] == self.world.our_asn for port in ports)
        return not ours and 1 < len(ports) + 1 <= self.changes // 3

    def _vanish(self):
        tag = self.rng.choice(("netixlan", "netfac", "poc"))
        if row := self.pick(tag):
            self.pools[tag].remove(row["id"])
            self.world.vanish(tag, row["id"])
            self.day.vanished.append((tag, row["id"]))

    # What happens to ports

    def swap_addresses(self):
        first = self.pick("netixlan", lambda row: row["ipaddr4"])
        if first is None or self.left < 2:
            return
        neighbours = self.below.of("netixlan", "ixlan_id", first["ixlan_id"])
        others = [
            row for row in neighbours if row["id"] != first["id"] and not self.is_taken("netixlan", row)
        ]
        if not others:
            return
        second = self.rng.choice(others)
        self.day.swapped.append(swap(self.world, first["id"], second["id"], at=self.world.now))
        for row in (first, second):
            self.day.changed.append(("netixlan", row["id"]))
            self.touched.add(("netixlan", row["id"]))

    def move_port(self):
        port = self.pick("netixlan")
        lan = port and self.pick("ixlan", lambda row: row["id"] != port["ixlan_id"])
        addresses = lan and self.free.take(lan["id"])
        if addresses:
            move(self.world, port["id"], lan["id"], addresses, at=self.world.now)
            self.below.note("netixlan", self.world.get("netixlan", port["id"]))
            self.day.moved.append(port["id"])
            self.day.changed.append(("netixlan", port["id"]))
            self.touched.add(("netixlan", port["id"]))

    def readdress_port(self):
        port = self.pick("netixlan")
        addresses = port and self.free.take(port["ixlan_id"])
        if addresses:
            self.change("netixlan", port, ipaddr4=addresses[0], ipaddr6=addresses[1])

    def switch_port(self):
        if port := self.pick("netixlan"):
            self.change("netixlan", port, operational=not port["operational"])

    def widen_port(self):
        if port := self.pick("netixlan"):
            speed = self.rng.choice([speed for speed in SPEEDS if speed != port["speed"]])
            self.change("netixlan", port, speed=speed)

    def flag_port(self):
        if port := self.pick("netixlan"):
            name = self.rng.choice(("is_rs_peer", "bfd_support"))
            self.change("netixlan", port, **{name: not port[name]})

    def delete_port(self):
        if port := self.pick("netixlan"):
            self.delete("netixlan", port)

    def hand_port_over(self):
        """A network leaves, and another has its addresses at once."""
        port, net = self.pick("netixlan"), self.pick("net")
        if port and net and self.left >= 2:
            self.delete("netixlan", port)
            self._connect(net, port["ixlan_id"], (port["ipaddr4"], port["ipaddr6"]))

    def revive_port(self):
        """A network comes back: PeeringDB takes the deleted row into use again."""
        while self.gone:
            port = self.world.get("netixlan", self.gone.pop())
            if self.world.is_ok("net", port["net_id"]) and (addresses := self.free.take(port["ixlan_id"])):
                self.change("netixlan", port, status="ok", ipaddr4=addresses[0], ipaddr6=addresses[1])
                self.below.note("netixlan", port)
                return

    def connect_network(self):
        net, lan = self.pick("net"), self.pick("ixlan")
        if net and lan and (addresses := self.free.take(lan["id"])):
            self._connect(net, lan["id"], addresses)

    def _connect(self, net, ixlan_id, addresses):
        lan = self.world.get("ixlan", ixlan_id)
        name = self.world.get("ix", lan["ix_id"])["name"]
        speed = self.rng.choice(SPEEDS)
        return self.create("netixlan", net, lan, name, *addresses, speed=speed)

    # What happens to networks, contacts and buildings

    def change_limits(self):
        if net := self.pick("net"):
            four, six = int(10 ** (5 * self.rng.random())), int(10 ** (4 * self.rng.random()))
            self.change("net", net, info_prefixes4=four, info_prefixes6=six)

    def change_as_set(self):
        if net := self.pick("net"):
            number = self.rng.randrange(10, 99)
            self.change("net", net, irr_as_set=f"RIPE::AS{net['asn']}:AS-CONE-{number}")

    def change_policy(self):
        if net := self.pick("net"):
            others = [policy for policy in POLICIES if policy != net["policy_general"]]
            self.change("net", net, policy_general=self.rng.choice(others))

    def rename_network(self):
        if net := self.pick("net"):
            self.change("net", net, name=f"{net['name'].partition(' (')[0]} (day {self.world.days + 1})")

    def found_network(self):
        if self.left < 4:
            return
        lan = self.pick("ixlan")
        addresses = lan and self.free.take(lan["id"])
        if addresses:
            number = self.world.next_id("net")
            org = self.create("org", f"Example Newcomer {number}", self.rng.choice(PLACES))
            net = self.create(
                "net",
                org["id"],
                FIRST_NEW_ASN + number,
                f"Example Newcomer {number}",
                info_prefixes4=5,
                info_prefixes6=2,
                irr_as_set=f"AS-N{FIRST_NEW_ASN + number}",
            )
            self.create("poc", net, "NOC", "NOC")
            self._connect(net, lan["id"], addresses)

    def close_network(self):
        if net := self.pick("net", lambda row: self.few_below("net", row)):
            self.delete("net", net)

    def close_building(self):
        if building := self.pick("fac", lambda row: self.few_below("fac", row)):
            self.delete("fac", building)

    def enter_building(self):
        net, building = self.pick("net"), self.pick("fac")
        there = net and [row["fac_id"] for row in self.below.of("netfac", "net_id", net["id"])]
        if net and building and building["id"] not in there:
            self.create("netfac", net, building)

    def leave_building(self):
        if presence := self.pick("netfac"):
            self.delete("netfac", presence)

    def add_contact(self):
        if net := self.pick("net"):
            role, visible, name = self.rng.choice(CONTACTS)
            self.create("poc", net, role, name, visible=visible)

    def change_contact(self):
        if contact := self.pick("poc"):
            self.change("poc", contact, phone=f"+442079460{self.rng.randrange(1000):03}")

    def delete_contact(self):
        if contact := self.pick("poc"):
            self.delete("poc", contact)

    def found_exchange(self):
        if self.left < 5:
            return
        place = self.rng.choice(PLACES)
        number = self.world.next_id("ix")
        org = self.create("org", f"Example Exchange Operator {number}", place)
        exchange = self.create("ix", org["id"], f"Example IX {place.city} New {number}", place)
        now = stamp(self.world.now)
        lan = self.world.add("ixlan", rows.ixlan(exchange["id"], exchange["id"], stamp=(now, now)))
        self.note_created("ixlan", lan)
        for prefix in (self.world.prefixes.take4(24), self.world.prefixes.take6()):
            self.create("ixpfx", lan["id"], str(prefix))

    def turn_campus(self):
        """A campus gets its second building and is no longer pending, or loses it."""
        campuses = self.world.rows("campus", "ok", "pending")
        if campuses:
            campus = self.rng.choice(campuses)
            if ("campus", campus["id"]) not in self.touched:
                self.change("campus", campus, status="ok" if campus["status"] == "pending" else "pending")


# What can happen, and how often beside the others.
_HAPPENINGS = {
    _Day.swap_addresses: 6,
    _Day.move_port: 5,
    _Day.readdress_port: 4,
    _Day.switch_port: 8,
    _Day.widen_port: 8,
    _Day.flag_port: 4,
    _Day.delete_port: 6,
    _Day.hand_port_over: 3,
    _Day.revive_port: 2,
    _Day.connect_network: 10,
    _Day.change_limits: 14,
    _Day.change_as_set: 8,
    _Day.change_policy: 6,
    _Day.rename_network: 4,
    _Day.found_network: 3,
    _Day.close_network: 1,
    _Day.close_building: 0.2,
    _Day.enter_building: 6,
    _Day.leave_building: 4,
    _Day.add_contact: 4,
    _Day.change_contact: 4,
    _Day.delete_contact: 3,
    _Day.found_exchange: 0.3,
    _Day.turn_campus: 0.1,
}
