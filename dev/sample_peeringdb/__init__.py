"""
A sample PeeringDB: generated data that follows PeeringDB's fields, behind a small HTTP server that speaks its API.

For tests, benchmarks and the demo; never part of the package. Standard library only. `README.md` in `dev/` shows
how to use it. Reading order:

    schema    what a row of each type looks like (fields.json)
    rows      one row of each type
    world     all rows, the clock, what happens to rows
    generate  a world from a seed: the demo's story, and as many networks and exchanges as asked for
    days      what the next day brings: changes, deletions, moves, swaps
    query     one request's answer: since, filters, limit/skip, fields, depth, who may see which contact
    faults    what can be made to go wrong on the way
    server    HTTP
    process   the server as a process of its own
"""
