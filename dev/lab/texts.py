"""The configuration of each node's daemons, as text. Pure."""

from dev.lab.plan import Node, bgp_sessions, password_between, peers_of

CONNECT_RETRY_S = 2


def configuration(node: Node, everyone: list[Node]) -> str:
    """What the node's routing daemon starts with."""
    return {"frr": frr, "bird": bird, "openbgpd": openbgpd}[node.program](node, everyone)


def frr(node: Node, everyone: list[Node]) -> str:
    """One of our routers begins with its name only; a member speaks to ours and to the route servers."""
    lines = ["frr defaults traditional", f"hostname {node.name}", "service integrated-vtysh-config"]
    if not node.ours:
        sessions = [(peer, address) for peer in peers_of(node, everyone) for address in peer.addresses]
        lines += _frr_bgp(node, sessions)
    return "\n".join([*lines, "end", ""])


def router_with_sessions(node: Node, everyone: list[Node], asns: set[int] | None = None) -> str:
    """
    A whole configuration for one of our routers, in the order in which FRR prints it: a session with each address of
    every member and route server, or of those whose AS is in `asns`.
    """
    lines = ["frr defaults traditional", f"hostname {node.name}", "service integrated-vtysh-config", "!"]
    sessions = [one for one in bgp_sessions(node, everyone) if asns is None or one[0].asn in asns]
    return "\n".join([*lines, *_frr_bgp(node, sessions), "end", ""])


def _frr_bgp(node: Node, sessions: list[tuple[Node, str]]) -> list[str]:
    lines = [
        f"router bgp {node.asn}",
        f" bgp router-id {node.router_id}",
        " no bgp ebgp-requires-policy",
        " no bgp default ipv4-unicast",
        " no bgp network import-check",
    ]
    for peer, address in sessions:
        lines += [f" neighbor {address} remote-as {peer.asn}", f" neighbor {address} description {peer.name}"]
        if password := password_between(node, peer):
            lines.append(f" neighbor {address} password {password}")
        lines.append(f" neighbor {address} timers connect {CONNECT_RETRY_S}")
    for number in (4, 6):
        ours = [prefix for prefix in node.prefixes if (":" in prefix) == (number == 6)]
        active = [address for _peer, address in sessions if (":" in address) == (number == 6)]
        lines += [" !", f" address-family ipv{number} unicast"]
        lines += [f"  network {prefix}" for prefix in ours]
        lines += [f"  neighbor {address} activate" for address in active]
        lines.append(" exit-address-family")
    return [*lines, "exit", "!"]


def bird(node: Node, everyone: list[Node]) -> str:
    """BIRD 2: a member, or a route server that is transparent to its clients (RFC 7947)."""
    blocks = [f"router id {node.router_id};", "protocol device { }"]
    for number in (4, 6):
        routes = " ".join(
            f"route {prefix} unreachable;" for prefix in node.prefixes if (":" in prefix) == (number == 6)
        )
        blocks.append(f"protocol static announced{number} {{ ipv{number}; {routes} }}")
    for peer in peers_of(node, everyone):
        for number, address in zip((4, 6), peer.addresses, strict=True):
            password = password_between(node, peer)
            lines = [
                f"protocol bgp {peer.name.replace('.', '_')}_v{number} {{",
                f'  description "{peer.name}";',
                f"  local {node.addresses[number == 6]} as {node.asn};",
                f"  neighbor {address} as {peer.asn};",
                f"  connect delay time {CONNECT_RETRY_S}; connect retry time {CONNECT_RETRY_S};",
                f"  error wait time {CONNECT_RETRY_S}, {CONNECT_RETRY_S};",
                f'  password "{password}";' if password else "",
                "  rs client;" if node.route_server else "",
                f"  ipv{number} {{ import all; export {_bird_export(node, number)}; }};",
                "}",
            ]
            blocks.append("\n".join(filter(None, lines)))
    return "\n".join(blocks) + "\n"


def _bird_export(node: Node, number: int) -> str:
    return "all" if node.route_server else f'where proto = "announced{number}"'


def openbgpd(node: Node, everyone: list[Node]) -> str:
    """OpenBGPD: a member."""
    lines = [f"AS {node.asn}", f"router-id {node.router_id}", "fib-update no"]
    lines += [f"network {prefix}" for prefix in node.prefixes]
    for peer in peers_of(node, everyone):
        for address, ours in zip(peer.addresses, node.addresses, strict=True):
            family = "IPv6" if ":" in address else "IPv4"
            lines += [
                f"neighbor {address} {{",
                f"  remote-as {peer.asn}",
                f'  descr "{peer.name}"',
                f"  local-address {ours}",
                f"  announce {family} unicast",
                f"  enforce neighbor-as {'no' if peer.route_server else 'yes'}",
                "}",
            ]
    lines += ["allow from any", f"allow to any prefix {{ {', '.join(node.prefixes)} }}"]
    return "\n".join(lines) + "\n"
