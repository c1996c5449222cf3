"""
The local stack: everything that `make demo`, `make test` and `make serve` need, started from nothing.

`python -m dev <command>` makes the virtual environment with pinned versions, finds or installs the server
programs, runs a private PostgreSQL and Redis under `.stack/`, migrates NetBox with the plugin, and stops
exactly what it started. What runs before the virtual environment exists uses the standard library only.
`dev/README.md` draws the parts and how they hang together.
"""
