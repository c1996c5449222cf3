"""
What a sample PeeringDB in a process of its own can be told over HTTP, beside what PeeringDB knows.

    POST   /sample/next-day   {"changes": 100, "renumber": 2}     a day passes; what it brought comes back
    POST   /sample/faults     {"fault": "throttle", "times": 3}   a switch of `faults.Faults`, with its parameters
    DELETE /sample/faults                                         everything in order again
    POST   /sample/limits     {"anonymous": 20}                   keep PeeringDB's limits; DELETE: do not
    GET    /sample/requests                                       the requests that came
    DELETE /sample/requests                                       forget them
    GET    /sample/world                                          its seed, size, clock, and number of rows
"""

import json
from dataclasses import asdict

from dev.sample_peeringdb.days import next_day
from dev.sample_peeringdb.faults import switches
from dev.sample_peeringdb.limits import Limits
from dev.sample_peeringdb.schema import TAGS

PATH = "/sample/"


def handle(server, method, path, body):
    """Do what a request asks for. Returns (HTTP status, what to say, as what becomes JSON)."""
    action = _ACTIONS.get((method, path.removeprefix(PATH)))
    if action is None:
        known = sorted(f"{verb} {PATH}{name}" for verb, name in _ACTIONS)
        return 404, {"error": f"There is no {method} {path}", "known": known}
    try:
        said = json.loads(body) if body else {}
        return 200, action(server, **said)
    except (TypeError, ValueError, KeyError) as problem:
        return 400, {"error": f"{type(problem).__name__}: {problem}"}


def _pass_day(server, **options):
    return asdict(next_day(server.world, **options))


def _switch(server, fault, **options):
    if fault not in switches():
        raise ValueError(f"there is no fault {fault}; known: {', '.join(switches())}")
    arguments = options.pop("tags", ()) if fault == "missing" else ()
    getattr(server.faults, fault)(*arguments, **options)
    return {"fault": fault, **options}


def _clear(server):
    server.faults.clear()
    return {}


def _limit(server, **options):
    server.limits = Limits(**options)
    return options


def _unlimit(server):
    server.limits = None
    return {}


def _requests(server):
    return {"requests": [asdict(request) for request in server.requests], "connections": server.connections}


def _forget(server):
    server.requests.clear()
    return {}


def _world(server):
    world = server.world
    return {
        "seed": world.seed,
        "size": world.size,
        "now": world.now,
        "days": world.days,
        "rows": {tag: len(world.rows(tag)) for tag in TAGS},
        "largest_ix_id": world.largest_ix_id,
        "our_ix_ids": world.our_ix_ids,
    }


_ACTIONS = {
    ("POST", "next-day"): _pass_day,
    ("POST", "faults"): _switch,
    ("DELETE", "faults"): _clear,
    ("POST", "limits"): _limit,
    ("DELETE", "limits"): _unlimit,
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): _forget,
    ("GET", "world"): _world,
}
