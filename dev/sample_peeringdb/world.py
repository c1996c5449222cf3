"""
A world: all rows of a sample PeeringDB, its clock, and what can happen to a row.

A row is a dict that nobody changes; a change puts another dict in its place. So a copy of a world is cheap, and two
worlds share what is the same in both.
"""

import copy
import ipaddress
import time
from functools import lru_cache

from dev.demo_network import OUR_ASN
from dev.sample_peeringdb.schema import TAGS

DAY_S = 86400
# 2026-03-01T00:00:00Z, when every world begins. `updated` of its rows lies before it.
BEGINNING = 1772323200
# type -> field -> type of its children, deleted with it
CHILDREN = {
    "org": {"org_id": ("campus", "fac", "carrier", "net", "ix")},
    "fac": {"fac_id": ("carrierfac", "ixfac", "netfac")},
    "carrier": {"carrier_id": ("carrierfac",)},
    "net": {"net_id": ("netfac", "netixlan", "poc")},
    "ix": {"ix_id": ("ixfac", "ixlan")},
    "ixlan": {"ixlan_id": ("ixpfx", "netixlan")},
}


@lru_cache(4096)
def _date(day):
    return time.strftime("%Y-%m-%d", time.gmtime(day * DAY_S))


def stamp(seconds):
    """Seconds since 1970 as PeeringDB writes a time: 2026-03-01T00:00:00Z."""
    day, rest = divmod(seconds, DAY_S)
    return f"{_date(day)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


class LanAddresses:
    """The addresses of an IX LAN by the number of the host. A prefix that the LAN has not is None."""

    def __init__(self, prefix4, prefix6):
        self.prefix4 = prefix4
        self._first4 = prefix4 and int(prefix4[0])
        self._first6 = prefix6 and str(prefix6[0])

    def of(self, host):
        """(IPv4, IPv6) of the host as text, None where the LAN has no such prefix."""
        four = six = None
        if self._first4 is not None:
            number = self._first4 + host
            four = f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        if self._first6 is not None:
            six = f"{self._first6}{host:x}"
        return four, six


class Prefixes:
    """
    Prefixes for IX LANs, each given out once: IPv4 from 198.18.0.0/15 (RFC 2544) and then 100.64.0.0/10 (RFC 6598),
    IPv6 /64s from 2001:db8::/32 (RFC 3849), from 2001:db8:1000:: on.
    """

    RANGES = (ipaddress.IPv4Network("198.18.0.0/15"), ipaddress.IPv4Network("100.64.0.0/10"))

    def __init__(self):
        self._range = 0
        self._next4 = int(self.RANGES[0][0])
        self._next6 = 0x1000

    def take4(self, length):
        """The next unused IPv4 prefix of a length."""
        size = 1 << (32 - length)
        first = -(-self._next4 // size) * size
        if first + size > int(self.RANGES[self._range][-1]) + 1:
            self._range += 1  # IndexError when more than 17,000 LANs are asked for
            first = int(self.RANGES[self._range][0])
        self._next4 = first + size
        return ipaddress.IPv4Network((first, length))

    def take6(self):
        """The next unused IPv6 /64."""
        self._next6 += 1
        return ipaddress.IPv6Network(f"2001:db8:{self._next6 - 1:x}::/64")


class World:
    """
    All rows of one sample PeeringDB.

    `World(seed, size)` makes it (sizes: `sizes.SIZES`): the same seed and size always make the same rows. It has
    the demo's story in it (`dev/demo_network.py`): AS64500 with two ports on "Example IX London".
    """

    our_asn = OUR_ASN

    def __init__(self, seed=1, size="town"):
        # These make worlds, so they know this module.
        from dev.sample_peeringdb import generate, sizes

        self.seed = seed
        self.size = size
        self.now = BEGINNING  # seconds since 1970; no row is newer
        self.days = 0  # how many next days it has seen
        self.prefixes = Prefixes()
        self._rows = {tag: {} for tag in TAGS}
        self._versions = {tag: object() for tag in TAGS}
        self._ids = dict.fromkeys(TAGS, 0)
        generate.fill(self, sizes.SIZES[size])

    def copy(self):
        """A world with the same rows that then goes its own way."""
        other = copy.copy(self)
        other.prefixes = copy.copy(self.prefixes)
        other._rows = {tag: dict(rows) for tag, rows in self._rows.items()}
        other._versions = dict(self._versions)
        other._ids = dict(self._ids)
        return other

    # Reading

    def rows(self, tag, *statuses):
        """The rows of a type with one of the statuses (`ok` when none is named), ordered by id."""
        statuses = statuses or ("ok",)
        return sorted(
            (row for row in list(self._rows[tag].values()) if row["status"] in statuses),
            key=lambda row: row["id"],
        )

    def all_rows(self, tag):
        """The rows of a type whatever their status, in no order."""
        return list(self._rows[tag].values())

    def get(self, tag, pk):
        """One row whatever its status. KeyError when there is none."""
        return self._rows[tag][pk]

    def is_ok(self, tag, pk):
        """Whether there is such a row, and no tombstone."""
        row = self._rows[tag].get(pk)
        return row is not None and row["status"] == "ok"

    def find(self, tag, **values):
        """The `ok` rows that have all of the values, ordered by id."""
        wanted = values.items()
        found = [
            row
            for row in list(self._rows[tag].values())
            if row["status"] == "ok" and all(row[field] == value for field, value in wanted)
        ]
        return sorted(found, key=lambda row: row["id"])

    def version(self, tag):
        """An object that is another one as soon as a row of the type changed, and that copies share until then."""
        return self._versions[tag]

    def lan(self, ixlan_id):
        """The prefixes of an IX LAN: {4: IPv4Network, 6: IPv6Network}, without a family that it has not."""
        found = (ipaddress.ip_network(row["prefix"]) for row in self.find("ixpfx", ixlan_id=ixlan_id))
        return {prefix.version: prefix for prefix in found}

    @property
    def our_net_id(self):
        """The id of our own network; None when it has been deleted."""
        return next((row["id"] for row in self.find("net", asn=self.our_asn)), None)

    @property
    def our_ports(self):
        """Our own netixlan rows, ordered by id."""
        return self.find("netixlan", asn=self.our_asn)

    @property
    def our_ix_ids(self):
        """The exchanges where we are, ordered by id. The demo's London is the first."""
        return sorted({row["ix_id"] for row in self.our_ports})

    @property
    def largest_ix_id(self):
        """The exchange with the most networks."""
        return max(self.rows("ix"), key=lambda row: row["net_count"])["id"]

    @property
    def largest_ixlan_id(self):
        """The LAN with the most networks; a generated exchange's first LAN has the exchange's id, as in PeeringDB."""
        return self.largest_ix_id

    # Changing. `at` is the new `updated` in seconds since 1970; None moves the clock on by a second.

    def next_id(self, tag):
        """An id that the type has not had yet."""
        self._ids[tag] += 1
        return self._ids[tag]

    def tick(self, seconds=1):
        """Move the clock on. Returns the time in seconds since 1970."""
        self.now += seconds
        return self.now

    def add(self, tag, row):
        """Put a new row in, or one in another's place, as it is. Returns it."""
        self._rows[tag][row["id"]] = row
        self._ids[tag] = max(self._ids[tag], row["id"])
        self._versions[tag] = object()
        return row

    def change(self, tag, pk, *, at=None, **fields):
        """Change fields of a row; `updated` moves to `at`. Returns the new row."""
        moment = stamp(self.tick() if at is None else at)
        return self.add(tag, {**self._rows[tag][pk], "updated": moment, **fields})

    def delete(self, tag, pk, *, at=None):
        """
        Leave a tombstone of a row and of everything below it. Returns what was deleted as (tag, id), parents first.

        As in PeeringDB, a contact's tombstone says nothing of the contact, and a port's has no address.
        """
        at = self.tick() if at is None else at
        deleted = [(tag, pk)]
        self.change(tag, pk, at=at, status="deleted", **_EMPTIED.get(tag, {}))
        for field, tags in CHILDREN.get(tag, {}).items():
            for child in tags:
                below = [row["id"] for row in self.find(child, **{field: pk})]
                deleted += [gone for found in below for gone in self.delete(child, found, at=at)]
        return deleted

    def vanish(self, tag, pk):
        """Take a row out without leaving a tombstone. Returns it. Only a full comparison can notice."""
        self._versions[tag] = object()
        return self._rows[tag].pop(pk)


_EMPTIED = {
    "poc": {"name": "", "phone": "", "email": "", "url": ""},
    "netixlan": {"ipaddr4": None, "ipaddr6": None},
}
