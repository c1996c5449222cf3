"""
A world from a seed: the demo's story, and around it as many networks and exchanges as its size says.

Everything is made up. Networks have AS numbers from 4200000000 on (RFC 6996), contacts are roles, mail goes to
example.net (RFC 2606), telephone numbers are Ofcom's for drama.
"""

from dev.sample_peeringdb import exchanges, story
from dev.sample_peeringdb.maker import CONTACTS, PLACES, Maker
from dev.sample_peeringdb.schema import fields

FIRST_ASN = 4200000000
# Ids that children point at and that never arrive.
MISSING_ID = 9000001
POLICIES, POLICY_WEIGHTS = ("Open", "Selective", "Restrictive", "No", ""), (70, 20, 5, 3, 2)
KIND_WEIGHTS = {
    "NSP": 20,
    "Content": 15,
    "Cable/DSL/ISP": 40,
    "Enterprise": 10,
    "Educational/Research": 6,
    "Non-Profit": 4,
    "Network Services": 5,
}
NAMES = ("Willow", "Granite", "Meadow", "Comet", "Lantern", "Beacon", "Copper", "Tundra", "Mosaic")
TRADES = ("Broadband", "Fibre", "Hosting", "Cloud", "Mobile", "Video", "Research", "Telecom")


def fill(world, size):
    """Fill an empty world, as its seed says."""
    _Generator(world, size).fill()


class _Generator(Maker):
    def __init__(self, world, size):
        super().__init__(world)
        self.size = size
        self.nets = []  # the story's first, and ours first of all
        self.facs = []
        self.orgs = []

    def fill(self):
        self.nets, self.facs = story.tell(self)
        self.told = len(self.nets)
        if self.size.net:
            self._orgs()
            self._facilities()
            made_up = exchanges.Exchanges(self)
            self._networks(self.missing("net") - made_up.with_route_servers)
            made_up.make()
            self._networks_in_facilities()
            self._contacts()
            self._tombstones()
            self._dangling()
        self._counts()

    def missing(self, tag):
        """How many rows the type lacks."""
        return max(0, getattr(self.size, tag) - len(self.world.all_rows(tag)))

    # What is made up

    def _orgs(self):
        for number in range(self.missing("org")):
            self.put("org", f"Example Organisation {number + 1}", self.rng.choice(PLACES))
        self.orgs = self.world.rows("org")

    def _facilities(self):
        for number in range(self.missing("fac")):
            place = self.rng.choice(PLACES)
            name = f"Example Datacentre {place.city} {number + 3}"
            self.facs.append(self.put("fac", self.rng.choice(self.orgs), name, place))
        for number in range(self.size.campus):
            # The last has one building only, and so is pending; the building names it all the same.
            first = len(story.FACILITIES) + 2 * number
            self._campus(number, first, 1 if number == self.size.campus - 1 else 2)
        for number in range(self.size.carrier):
            carrier = self.put("carrier", self.rng.choice(self.orgs), f"Example Carrier {number + 1}")
            for building in self.rng.sample(self.facs, 3):
                self.put("carrierfac", carrier, building)

    def _campus(self, number, first, buildings):
        status = "ok" if buildings > 1 else "pending"
        campus = self.put(
            "campus",
            self.rng.choice(self.orgs),
            f"Example Campus {number + 1}",
            self.rng.choice(PLACES),
            status=status,
        )
        for index in range(first, first + buildings):
            self.facs[index] = self.world.add("fac", {**self.facs[index], "campus_id": campus["id"]})

    def _networks(self, count):
        self.enums = {name: said["enum"] for name, said in fields()["net"].items() if "enum" in said}
        self.nets += [self.network(number) for number in range(count)]

    def network(self, number, name=None, **more):
        """A network with the AS number FIRST_ASN + `number`."""
        rng = self.rng
        asn = FIRST_ASN + number
        kind = rng.choices(list(KIND_WEIGHTS), KIND_WEIGHTS.values())[0]
        policy = POLICIES[number % 5] if number < 10 else rng.choices(POLICIES, POLICY_WEIGHTS)[0]
        values = {
            "irr_as_set": as_set(asn, number),
            "info_type": kind,
            "info_types": [kind],
            "info_prefixes4": None if number % 40 == 9 else int(10 ** (4 * rng.random())),
            "info_prefixes6": None if number % 15 == 9 else int(10 ** (3 * rng.random())),
            "info_traffic": rng.choice(self.enums["info_traffic"]),
            "info_ratio": rng.choice(self.enums["info_ratio"]),
            "info_scope": rng.choice(self.enums["info_scope"]),
            "info_ipv6": number % 9 != 4,
            "info_never_via_route_servers": number % 25 == 7,
            "policy_general": policy,
            "policy_url": f"https://as{asn}.example.net/peering" if policy else "",
            "policy_ratio": policy == "Restrictive",
            "policy_locations": "Required - International" if policy == "Restrictive" else "Not Required",
            "policy_contracts": "Private Only" if number % 12 == 5 else "Not Required",
            "looking_glass": f"https://lg.as{asn}.example.net" if number % 4 == 0 else "",
        }
        name = name or f"Example {NAMES[number % len(NAMES)]} {TRADES[number % len(TRADES)]} {number}"
        return self.put("net", rng.choice(self.orgs)["id"], asn, name, **{**values, **more})

    # Who is where, and who answers

    def _networks_in_facilities(self):
        taken = set()
        while count := self.missing("netfac"):
            for _ in range(count):
                net = self.nets[self.rng.randrange(len(self.nets))]
                building = self.facs[int(len(self.facs) * self.rng.random() ** 2)]
                if (net["id"], building["id"]) not in taken:
                    taken.add((net["id"], building["id"]))
                    self.put("netfac", net, building)

    def _contacts(self):
        seen = {}
        for number in range(self.missing("poc")):
            net = self.nets[self.rng.randrange(self.told, len(self.nets))]
            seen[net["id"]] = slot = seen.get(net["id"], -1) + 1
            role, visible, name = CONTACTS[(slot + number % 2) % len(CONTACTS)]
            self.put("poc", net, role, name, visible=visible, phone=f"+442079460{number % 1000:03}")

    def _tombstones(self):
        """Rows that were there once. A deleted port has no address; a deleted contact says nothing."""
        for number in range(self.size.tombstones):
            gone = self.network(200000 + number)
            port, building = self.world.get("netixlan", 14 + number), self.facs[number % len(self.facs)]
            lan = self.world.get("ixlan", port["ixlan_id"])
            self._tombstone("net", gone)
            self._tombstone("netfac", self.put("netfac", gone, building))
            self._tombstone("poc", self.put("poc", gone, "NOC", ""), email="")
            self._tombstone("netixlan", self.put("netixlan", gone, lan, port["name"], None, None))

    def _tombstone(self, tag, row, **more):
        self.world.add(tag, {**row, "status": "deleted", **more})

    def _dangling(self):
        """Children of rows that never arrive: the last of their type."""
        for tag, field in (("netfac", "fac_id"), ("netixlan", "net_id"), ("poc", "net_id")):
            for number, row in enumerate(self.world.rows(tag)[-self.size.dangling :]):
                self.world.add(tag, {**row, field: MISSING_ID + number})

    def _counts(self):
        """Write the counts that PeeringDB keeps on net, ix, fac and carrier, and when a network's children changed."""
        world = self.world
        ports, buildings, contacts = (world.rows(tag) for tag in ("netixlan", "netfac", "poc"))
        self._count("net", "ix_count", {(row["net_id"], row["ix_id"]) for row in ports})
        self._count("net", "fac_count", {(row["net_id"], row["fac_id"]) for row in buildings})
        self._count("ix", "net_count", {(row["ix_id"], row["net_id"]) for row in ports})
        self._count("ix", "fac_count", {(row["ix_id"], row["fac_id"]) for row in world.rows("ixfac")})
        self._count("fac", "net_count", {(row["fac_id"], row["net_id"]) for row in buildings})
        self._count("fac", "ix_count", {(row["fac_id"], row["ix_id"]) for row in world.rows("ixfac")})
        pairs = {(row["carrier_id"], row["fac_id"]) for row in world.rows("carrierfac")}
        self._count("carrier", "fac_count", pairs)
        self._count("fac", "carrier_count", {(building, carrier) for carrier, building in pairs})
        latest = (("netixlan_updated", ports), ("netfac_updated", buildings), ("poc_updated", contacts))
        for field, children in latest:
            for row in children:
                net = world._rows["net"].get(row["net_id"])
                if net and (net[field] is None or net[field] < row["updated"]):
                    net[field] = row["updated"]

    def _count(self, tag, field, pairs):
        # Rows are still ours alone here, so they are written in place.
        table = self.world._rows[tag]
        for parent, _ in pairs:
            if parent in table:
                table[parent][field] += 1


def as_set(asn, number):
    """An AS-SET as networks write it: old and new style, with a source, hierarchical, several, a number, none."""
    forms = (
        f"AS-N{asn}",
        f"RIPE::AS-N{asn}",
        f"AS{asn}:AS-CONE",
        f"RADB::AS{asn}:AS-CONE",
        f"AS-N{asn}, AS-N{asn}-CUSTOMERS",
        f"RIPE::AS-N{asn} RADB::AS-N{asn}",
        f"AS{asn}",
        "",
    )
    return forms[number % len(forms)] if number % 3 == 0 else forms[number % 2]
