"""
Made up exchanges: few large, many small, some with two LANs, and who has which ports on them.
"""

from dev.sample_peeringdb import rows
from dev.sample_peeringdb.maker import PLACES
from dev.sample_peeringdb.world import LanAddresses

# Extra LANs of an exchange; the first LAN of each has the exchange's own id, as in PeeringDB.
FIRST_EXTRA_LAN = 50001
# On every made up LAN our ports have the first addresses, and other networks those from here on.
FIRST_HOST = 10
# A smaller exchange has no route servers.
WITH_ROUTE_SERVERS = 20
SPEEDS, SPEED_WEIGHTS = (100, 1000, 10000, 20000, 100000, 200000, 400000), (2, 15, 50, 8, 18, 4, 3)


class Exchanges:
    """The exchanges of a generator that has our network, organisations and facilities, and then its networks."""

    def __init__(self, generator):
        self.generator, self.size = generator, generator.size
        self.world, self.rng, self.put = generator.world, generator.rng, generator.put
        self.stamp = generator.stamp
        ports = generator.missing("netixlan")
        largest = self.size.largest - 1  # its route servers' network comes on top
        # How many networks each exchange has, the largest first; the ports that are left are second ones.
        self.members = member_counts(self.size.ix - 1, largest, int(ports * 0.88))
        self.with_route_servers = sum(networks > WITH_ROUTE_SERVERS for networks in self.members)
        self.spare_ports = ports - sum(self.members) - 2 * self.with_route_servers

    def make(self):
        """Put all of them into the world."""
        spare, networks_left = self.spare_ports, sum(self.members)
        for rank, networks in enumerate(self.members):
            share = -(-spare * networks // networks_left)
            self._exchange(rank, networks, share)
            spare -= share
            networks_left -= networks

    @property
    def nets(self):
        return self.generator.nets

    def _exchange(self, rank, networks, spare):
        """One exchange with so many networks, and so many further ports for them."""
        place = PLACES[(rank + 1) % len(PLACES)]
        suffix = "" if rank < len(PLACES) else f" {rank // len(PLACES) + 1}"
        of_org = self.rng.choice(self.generator.orgs)
        exchange = self.put(
            "ix",
            of_org["id"],
            f"Example IX {place.city}{suffix}",
            place,
            media="Ethernet",
            service_level=("24/7 Support", "Best Effort (no SLA)", "")[rank % 3],
            terms=("Recurring Fees", "No Commercial Terms", "")[rank % 3],
        )
        for building in self.rng.sample(self.generator.facs, 1 + rank % 3):
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
        told = self.generator.told
        found = {}
        if rank < self.size.ours - 1:
            found[0] = self.nets[0]
        if rank == 0:
            found |= {number: self.nets[number] for number in range(1, 7)}
        generated = len(self.nets) - told
        while len(found) < networks:
            # Few networks are everywhere and most at one exchange.
            number = told + int(generated * self.rng.random() ** 2)
            found[number] = self.nets[number]
        return list(found.values())

    def _lan(self, exchange, rank, number, ports):
        """One LAN of an exchange: the first has its id and its route servers, the second larger frames."""
        route_server = None
        if number == 0 and self.members[rank] > WITH_ROUTE_SERVERS:
            route_server = self._route_server(exchange, rank)
        lan = rows.ixlan(
            exchange["id"] if number == 0 else FIRST_EXTRA_LAN + rank,
            exchange["id"],
            name="" if number == 0 else "Jumbo LAN",
            mtu=1500 if number == 0 else 9000,
            rs_asn=route_server and route_server["asn"],
            stamp=self.stamp(),
        )
        self.world.add("ixlan", lan)
        length = min(24, 32 - (len(ports) + FIRST_HOST + 16).bit_length())
        prefixes = self.world.prefixes.take4(length), self.world.prefixes.take6()
        for prefix in prefixes:
            self.put("ixpfx", lan["id"], str(prefix))
        addresses = LanAddresses(*prefixes)
        self._ports(exchange, lan, ports, addresses)
        if route_server:
            last = prefixes[0].num_addresses - 6
            for host in (last, last + 1):
                self._port(route_server, lan, exchange, addresses.of(host), is_rs_peer=False)

    def _ports(self, exchange, lan, nets, addresses):
        ours, host = 0, FIRST_HOST
        for net in nets:
            if net is self.nets[0]:
                ours += 1
                self._port(net, lan, exchange, addresses.of(ours), speed=100000)
            else:
                self._port(net, lan, exchange, addresses.of(host), **self._port_fields(net, host))
                host += 1

    def _route_server(self, exchange, rank):
        asn_number = 100000 + rank
        return self.generator.network(
            asn_number,
            name=f"{exchange['name']} route servers",
            info_type="Route Server",
            info_types=["Route Server"],
            policy_general="Open",
            irr_as_set=f"AS-RS-{exchange['id']}",
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
