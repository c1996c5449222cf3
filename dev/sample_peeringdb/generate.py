"""
A world from a seed: the demo's story, and around it as many networks and exchanges as its size says.

Everything is made up. Networks have AS numbers from 4200000000 on (RFC 6996), contacts are roles, mail goes to
example.net (RFC 2606), telephone numbers are Ofcom's for drama.
"""

import random
from dataclasses import dataclass

from dev.demo_network import EXCHANGE, LAN4, LAN6, MEMBERS, OUR_ASN, SECOND_ROUTE_SERVER, WITH_BFD
from dev.sample_peeringdb import rows
from dev.sample_peeringdb.world import DAY_S, stamp

FIRST_ASN = 4200000000
ROUTE_SERVER_ASN = 64509
OUR_NAME = "Example Networks"
# Extra LANs of an exchange; the first LAN of each has the exchange's own id.
FIRST_EXTRA_LAN = 50001
# Ids that children point at and that never arrive.
MISSING_ID = 9000001
# On every generated LAN our ports have the first addresses, and other networks those from here on.
FIRST_HOST = 10


@dataclass(frozen=True)
class Size:
    """How many rows of each type are `ok`, the story's included."""

    org: int = 0
    net: int = 0
    ix: int = 0
    netixlan: int = 0
    fac: int = 0
    netfac: int = 0
    poc: int = 0
    carrier: int = 0
    campus: int = 0
    largest: int = 0  # networks at the largest exchange
    second_lans: int = 0  # exchanges with a second LAN
    ours: int = 1  # exchanges where we are
    tombstones: int = 0  # of each of net, netfac, netixlan and poc
    dangling: int = 0  # netfac, netixlan and poc whose parent is not there, of each


SIZES = {
    "hamlet": Size(),
    "town": Size(
        org=90,
        net=170,
        ix=5,
        netixlan=290,
        fac=12,
        netfac=110,
        poc=120,
        carrier=3,
        campus=3,
        largest=140,
        second_lans=1,
        ours=3,
        tombstones=4,
        dangling=1,
    ),
    "full": Size(
        org=33000,
        net=35000,
        ix=1300,
        netixlan=70000,
        fac=5800,
        netfac=35000,
        poc=30000,
        carrier=300,
        campus=80,
        largest=1500,
        second_lans=30,
        ours=20,
        tombstones=700,
        dangling=20,
    ),
}


@dataclass(frozen=True)
class Place:
    city: str
    country: str
    region: str
    latitude: float
    longitude: float


PLACES = (
    Place("London", "GB", "Europe", 51.51, -0.13),
    Place("Frankfurt", "DE", "Europe", 50.11, 8.68),
    Place("Amsterdam", "NL", "Europe", 52.37, 4.9),
    Place("Sao Paulo", "BR", "South America", -23.55, -46.63),
    Place("Ashburn", "US", "North America", 39.04, -77.49),
    Place("Singapore", "SG", "Asia Pacific", 1.35, 103.82),
    Place("Johannesburg", "ZA", "Africa", -26.2, 28.05),
    Place("Sydney", "AU", "Australia", -33.87, 151.21),
    Place("Dubai", "AE", "Middle East", 25.2, 55.27),
    Place("Warsaw", "PL", "Europe", 52.23, 21.01),
    Place("Tokyo", "JP", "Asia Pacific", 35.68, 139.69),
    Place("Toronto", "CA", "North America", 43.65, -79.38),
)
LONDON = PLACES[0]
POLICIES, POLICY_WEIGHTS = ("Open", "Selective", "Restrictive", "No", ""), (70, 20, 5, 3, 2)
KINDS, KIND_WEIGHTS = (
    (
        "NSP",
        "Content",
        "Cable/DSL/ISP",
        "Enterprise",
        "Educational/Research",
        "Non-Profit",
        "Network Services",
    ),
    (20, 15, 40, 10, 6, 4, 5),
)
TRAFFIC = (
    "",
    "0-20Mbps",
    "100-1000Mbps",
    "1-5Gbps",
    "5-10Gbps",
    "10-20Gbps",
    "20-50Gbps",
    "50-100Gbps",
    "100-200Gbps",
    "200-300Gbps",
    "500-1000Gbps",
    "1-5Tbps",
)
RATIOS = (
    "",
    "Not Disclosed",
    "Heavy Outbound",
    "Mostly Outbound",
    "Balanced",
    "Mostly Inbound",
    "Heavy Inbound",
)
SCOPES = (
    "",
    "Not Disclosed",
    "Regional",
    "Europe",
    "Asia Pacific",
    "North America",
    "South America",
    "Global",
)
SPEEDS, SPEED_WEIGHTS = (100, 1000, 10000, 20000, 100000, 200000, 400000), (2, 15, 50, 8, 18, 4, 3)
NAMES = (
    "Willow",
    "Granite",
    "Meadow",
    "Comet",
    "Lantern",
    "Juniper Hill",
    "Copper",
    "Tundra",
    "Mosaic",
    "Orchard",
)
TRADES = (
    "Broadband",
    "Fibre",
    "Hosting",
    "Cloud",
    "Mobile",
    "Video",
    "Research",
    "Telecom",
    "Games",
    "Exchange",
)
# role, visibility and name of a network's contacts, in the order in which they are made
CONTACTS = (
    ("NOC", "Public", "NOC"),
    ("Policy", "Users", "Peering Coordinator"),
    ("Maintenance", "Private", "Maintenance"),
    ("Abuse", "Public", "Abuse Desk"),
    ("Technical", "Users", "Network Engineering"),
    ("Sales", "Public", "Sales"),
    ("Public Relations", "Users", "Press Office"),
)


def fill(world, size):
    """Fill an empty world, as its seed says."""
    _Generator(world, size).fill()


class _Generator:
    def __init__(self, world, size):
        self.world = world
        self.size = size
        self.rng = random.Random(f"{world.seed}/{world.size}")  # noqa: S311  (repeatable on purpose)
        # A few moments at which many rows were updated at once.
        self.busy = [world.now - self.rng.randrange(DAY_S, 900 * DAY_S) for _ in range(24)]
        self.nets = []
        self.facs = []
        self.of_net = {}  # asn -> row, of the story

    def fill(self):
        self._story()
        if self.size.net:
            self._plan()
            self._orgs()
            self._facilities()
            self._networks()
            self._exchanges()
            self._networks_in_facilities()
            self._contacts()
            self._tombstones()
            self._dangling()
        self._counts()

    # What everything is made with

    def put(self, tag, *args, **more):
        """Make a row with the next id and put it into the world."""
        return self.world.add(
            tag, getattr(rows, tag)(self.world.next_id(tag), *args, stamp=self.stamp(), **more)
        )

    def stamp(self):
        """(created, updated) of a row: before the world begins, one in ten at a moment shared with others."""
        rng = self.rng
        updated = (
            rng.choice(self.busy)
            if rng.random() < 0.1
            else self.world.now - int(DAY_S * (1 + 1000 * rng.random() ** 3))
        )
        return stamp(updated - int(DAY_S * 3000 * rng.random())), stamp(updated)

    def missing(self, tag):
        """How many rows the type lacks."""
        return max(0, getattr(self.size, tag) - len(self.world.all_rows(tag)))

    # The demo's story: us, the exchange in London and who is there

    def _story(self):
        put = self.put
        ours = put("org", OUR_NAME, LONDON)
        house = put("org", "Example Datacentres", LONDON)
        exchange = put("org", "Example Internet Exchange", LONDON)
        self.facs = [put("fac", house, f"Example Datacentre London {number}", LONDON) for number in (1, 2)]
        us = put(
            "net",
            ours["id"],
            OUR_ASN,
            OUR_NAME,
            irr_as_set="AS-EXAMPLE",
            info_prefixes4=20,
            info_prefixes6=10,
            info_type="NSP",
            info_types=["NSP"],
            info_scope="Europe",
        )
        self.of_net = {OUR_ASN: us} | {member.asn: self._member(member) for member in MEMBERS}
        self.nets = list(self.of_net.values())
        london = put("ix", exchange["id"], EXCHANGE, LONDON, name_long="Example Internet Exchange London")
        lan = put("ixlan", london["id"], rs_asn=ROUTE_SERVER_ASN)
        for prefix in (LAN4, LAN6):
            put("ixpfx", lan["id"], prefix)
        for facility in self.facs:
            put("ixfac", london, facility)
        self._london(london, lan)
        for number, net in enumerate(self.nets):
            put("netfac", net, self.facs[number % 2])
            if net["asn"] != 64499:  # one network tells no contact
                for role, visible, name in CONTACTS[: 2 + (number % 3 == 0)]:
                    put("poc", net, role, name, visible=visible)

    def _member(self, member):
        route_server = member.asn == ROUTE_SERVER_ASN
        kind = "Route Server" if route_server else "NSP"
        return self.put(
            "net",
            self.put("org", member.name, LONDON)["id"],
            member.asn,
            member.name,
            irr_as_set=member.as_set,
            info_prefixes4=member.limits[0],
            info_prefixes6=member.limits[1],
            info_type=kind,
            info_types=[kind],
            info_scope="Europe",
            info_traffic="" if route_server else "10-20Gbps",
        )

    def _london(self, london, lan):
        ports = [(self.of_net[OUR_ASN], host, 100000) for host in (1, 2)]
        ports += [(self.of_net[m.asn], m.host, 10000) for m in MEMBERS if m.host is not None]
        ports.append((self.of_net[ROUTE_SERVER_ASN], SECOND_ROUTE_SERVER, 10000))
        for net, host, speed in ports:
            self.put(
                "netixlan",
                net,
                lan,
                london["name"],
                f"{LAN4.rpartition('.')[0]}.{host}",
                f"{LAN6.partition('/')[0]}{host:x}",
                speed=speed,
                is_rs_peer=net["asn"] != ROUTE_SERVER_ASN,
                bfd_support=net["asn"] in WITH_BFD,
            )

    # What is made up

    def _plan(self):
        """Decide how many networks each made up exchange has, and how many of those have route servers."""
        ports = self.missing("netixlan")
        largest = self.size.largest - 1  # its route servers' network comes on top
        self.members = member_counts(self.size.ix - 1, largest, int(ports * 0.88))
        self.with_route_servers = sum(networks > 20 for networks in self.members)
        self.spare_ports = ports - sum(self.members) - 2 * self.with_route_servers

    def _orgs(self):
        for number in range(self.missing("org")):
            self.put("org", f"Example Organisation {number + 1}", self.rng.choice(PLACES))
        self.orgs = self.world.rows("org")

    def _facilities(self):
        for number in range(self.missing("fac")):
            place = self.rng.choice(PLACES)
            self.facs.append(
                self.put(
                    "fac", self.rng.choice(self.orgs), f"Example Datacentre {place.city} {number + 3}", place
                )
            )
        for number in range(self.size.campus):
            # The last has one building only, and so is pending; the building names it all the same.
            pending = number == self.size.campus - 1
            of_org = self.rng.choice(self.orgs)
            campus = self.put("campus", of_org, f"Example Campus {number + 1}", self.rng.choice(PLACES))
            if pending:
                self.world.add("campus", {**campus, "status": "pending"})
            for offset in range(1 if pending else 2):
                building = self.facs[2 + 2 * number + offset]
                self.facs[2 + 2 * number + offset] = self.world.add(
                    "fac", {**building, "campus_id": campus["id"]}
                )
        for number in range(self.size.carrier):
            carrier = self.put("carrier", self.rng.choice(self.orgs), f"Example Carrier {number + 1}")
            for building in self.rng.sample(self.facs, 3):
                self.put("carrierfac", carrier, building)

    def _networks(self):
        for number in range(self.missing("net") - self.with_route_servers):
            self.nets.append(self._network(number))

    def _network(self, number, name=None, **more):
        rng = self.rng
        asn = FIRST_ASN + number
        kind = rng.choices(KINDS, KIND_WEIGHTS)[0]
        policy = POLICIES[number % 5] if number < 10 else rng.choices(POLICIES, POLICY_WEIGHTS)[0]
        fields = {
            "irr_as_set": as_set(asn, number),
            "info_type": kind,
            "info_types": [kind],
            "info_prefixes4": None if number % 40 == 9 else int(10 ** (4 * rng.random())),
            "info_prefixes6": None if number % 15 == 9 else int(10 ** (3 * rng.random())),
            "info_traffic": rng.choice(TRAFFIC),
            "info_ratio": rng.choice(RATIOS),
            "info_scope": rng.choice(SCOPES),
            "info_ipv6": number % 9 != 4,
            "info_never_via_route_servers": number % 25 == 7,
            "policy_general": policy,
            "policy_url": f"https://as{asn}.example.net/peering" if policy else "",
            "policy_ratio": policy == "Restrictive",
            "policy_locations": "Required - International" if policy == "Restrictive" else "Not Required",
            "policy_contracts": "Private Only" if number % 12 == 5 else "Not Required",
            "looking_glass": f"https://lg.as{asn}.example.net" if number % 4 == 0 else "",
        }
        name = name or f"Example {NAMES[number % 10]} {TRADES[number // 10 % 10]} {number}"
        return self.put(
            "net", self.orgs[rng.randrange(len(self.orgs))]["id"], asn, name, **{**fields, **more}
        )

    # Exchanges

    def _exchanges(self):
        spare, networks_left = self.spare_ports, sum(self.members)
        for rank, networks in enumerate(self.members):
            share = -(-spare * networks // networks_left)
            self._exchange(rank, networks, share)
            spare -= share
            networks_left -= networks

    def _exchange(self, rank, networks, spare):
        """One exchange with so many networks, and so many further ports for them."""
        place = PLACES[(rank + 1) % len(PLACES)]
        suffix = "" if rank < len(PLACES) else f" {rank // len(PLACES) + 1}"
        of_org = self.orgs[self.rng.randrange(len(self.orgs))]
        exchange = self.put(
            "ix",
            of_org["id"],
            f"Example IX {place.city}{suffix}",
            place,
            media="Ethernet",
            service_level=("24/7 Support", "Best Effort (no SLA)", "")[rank % 3],
            terms=("Recurring Fees", "No Commercial Terms", "")[rank % 3],
        )
        for building in self.rng.sample(self.facs, 1 + rank % 3):
            self.put("ixfac", exchange, building)
        present = self._present(rank, networks)
        first, second = list(present), []
        if rank == 0 and spare:
            first.append(self.nets[0])  # our second port on the largest LAN
        elif rank <= self.size.second_lans:
            second = present[: min(spare, networks // 3)]
        first += self.rng.choices(present[1:], k=networks + spare - len(first) - len(second))
        self._lan(exchange, rank, 0, first)
        if second:
            self._lan(exchange, rank, 1, second)

    def _present(self, rank, networks):
        """The networks at an exchange: us and some of the story's on the large ones, then whoever, each once."""
        story = len(self.of_net)
        found = {}
        if rank < self.size.ours - 1:
            found[0] = self.nets[0]
        if rank == 0:
            found |= {number: self.nets[number] for number in range(1, 7)}
        generated = len(self.nets) - story
        while len(found) < networks:
            # Few networks are everywhere and most at one exchange.
            number = story + int(generated * self.rng.random() ** 2)
            found[number] = self.nets[number]
        return list(found.values())

    def _lan(self, exchange, rank, number, ports):
        world, route_server = self.world, None
        if number == 0 and self.members[rank] > 20:
            route_server = self._route_server(exchange, rank)
        pk = exchange["id"] if number == 0 else FIRST_EXTRA_LAN + rank
        lan = world.add(
            "ixlan",
            rows.ixlan(
                pk,
                exchange["id"],
                name="" if number == 0 else "Jumbo LAN",
                mtu=1500 if number == 0 else 9000,
                rs_asn=route_server and route_server["asn"],
                stamp=self.stamp(),
            ),
        )
        length = min(24, 32 - (len(ports) + FIRST_HOST + 16).bit_length())
        prefix4, prefix6 = world.prefixes.take4(length), world.prefixes.take6()
        for prefix in (prefix4, prefix6):
            self.put("ixpfx", lan["id"], str(prefix))
        address = _Addresses(prefix4, prefix6)
        ours, host = 0, FIRST_HOST
        for net in ports:
            if net is self.nets[0]:
                ours += 1
                self._port(net, lan, exchange, address.of(ours), speed=100000)
            else:
                self._port(net, lan, exchange, address.of(host), **self._port_fields(net, host))
                host += 1
        if route_server:
            last = prefix4.num_addresses - 6
            for at in (last, last + 1):
                self._port(route_server, lan, exchange, address.of(at), is_rs_peer=False)

    def _route_server(self, exchange, rank):
        asn_number = 100000 + rank
        return self._network(
            asn_number,
            name=f"{exchange['name']} route servers",
            info_type="Route Server",
            info_types=["Route Server"],
            policy_general="Open",
            irr_as_set=f"AS{FIRST_ASN + asn_number}:AS-RS",
        )

    def _port_fields(self, net, host):
        """Every kind of port is there on any LAN that has some dozen."""
        return {
            "speed": self.rng.choices(SPEEDS, SPEED_WEIGHTS)[0],
            "operational": host % 29 != 13,
            "is_rs_peer": host % 3 != 0 and not net["info_never_via_route_servers"],
            "bfd_support": host % 10 == 1,
            "without": 6 if host % 9 == 5 else 4 if host % 31 == 17 else None,
        }

    def _port(self, net, lan, exchange, addresses, without=None, **more):
        four, six = addresses
        if without == 4:
            four = None
        elif without == 6:
            six = None
        return self.put("netixlan", net, lan, exchange["name"], four, six, **more)

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
        story = len(self.of_net)
        for number in range(self.missing("poc")):
            net = self.nets[self.rng.randrange(story, len(self.nets))]
            seen[net["id"]] = slot = seen.get(net["id"], -1) + 1
            role, visible, name = CONTACTS[(slot + number % 2) % len(CONTACTS)]
            self.put("poc", net, role, name, visible=visible, phone=f"+442079460{number % 1000:03}")

    def _tombstones(self):
        """Rows that were there once. A deleted port has no address; a deleted contact says nothing."""
        for number in range(self.size.tombstones):
            gone = self._network(200000 + number)
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


class _Addresses:
    """The addresses of a LAN by the number of the host: (IPv4, IPv6) as text."""

    def __init__(self, prefix4, prefix6):
        self._first4 = int(prefix4[0])
        self._first6 = str(prefix6[0])

    def of(self, host):
        four = self._first4 + host
        return (
            f"{four >> 24}.{four >> 16 & 255}.{four >> 8 & 255}.{four & 255}",
            f"{self._first6}{host:x}",
        )


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


def member_counts(exchanges, largest, total):
    """
    The number of networks at each of so many exchanges, the largest first: few large, many small, `total` in all.
    """
    low, high = 0.01, 3.0
    for _ in range(40):
        exponent = (low + high) / 2
        counts = [max(2, int(largest * rank**-exponent)) for rank in range(1, exchanges + 1)]
        if sum(counts) > total:
            low = exponent
        else:
            high = exponent
    rank = 1
    while rank < exchanges and (lacking := total - sum(counts)):
        step = max(2 - counts[rank], min(lacking, largest - counts[rank], 50))
        counts[rank] += step
        rank += 1
    return counts
