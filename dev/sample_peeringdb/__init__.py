"""
A sample PeeringDB: generated data that follows PeeringDB's fields, behind a small HTTP server that speaks its API.

For tests, benchmarks and the demo; never part of the package. `dev/README.md` shows how to use it. Reading order:

    schema     what a row of each type looks like (fields.json)
    rows       one row of each type
    world      all rows, the clock, and what can happen to a row
    sizes      how large a world can be
    generate   a world from a seed, with maker, story (the demo's) and exchanges
    days       what the next day brings: changes, deletions, moves, swaps
    query      the answer to one request: since, filters, limit/skip, fields, depth, who may see which contact
    limits     PeeringDB's request limits
    faults     what can be made to go wrong on the way
    server     HTTP
    control    what a server can be told over HTTP
    process    the server as a process of its own
"""
