"""
`python -m dev.sample_peeringdb --port 8080 --size town --seed 1`: serve a sample PeeringDB until stopped.
"""

import argparse
import signal
import sys
import threading

from dev.sample_peeringdb.server import serve
from dev.sample_peeringdb.sizes import SIZES
from dev.sample_peeringdb.world import World


def main(arguments=None):
    """Serve until SIGTERM or SIGINT. The first line printed is the server's address, once it answers."""
    parser = argparse.ArgumentParser(prog="python -m dev.sample_peeringdb", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="a free one when left out")
    parser.add_argument("--size", choices=sorted(SIZES), default="town")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with serve(World(options.seed, options.size), port=options.port) as server:
        server.prepare()
        print(server.url, flush=True)
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
