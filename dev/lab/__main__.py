"""`make lab`: start the lab and say how to get in. It runs until `make stop`, or `make lab ARGS=stop` for it alone."""

import sys

from dev.errors import DevError
from dev.lab.ending import stop
from dev.lab.lab import Lab, start
from dev.progress import say, step


def main(arguments: list[str]) -> int:
    try:
        if arguments == ["stop"]:
            say("Stopped the lab" if stop() else "No lab was running")
            return 0
        with step("Starting the lab"):
            lab = start()
    except DevError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    describe(lab)
    return 0


def describe(lab: Lab) -> None:
    """Who is there, and the line that logs in on each of our routers."""
    for node in lab.nodes.values():
        print(f"{node.name:12} AS{node.asn:<6} {node.program:9} {node.ipv4:15} {node.ipv6}")
    for router in lab.routers.values():
        print(
            f"{router.name}: ssh -i {router.key_file} -o UserKnownHostsFile={router.known_hosts} "
            f"{router.user}@{router.host}"
        )
    say("Look at a router with vtysh; stop the lab with: make lab ARGS=stop")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
