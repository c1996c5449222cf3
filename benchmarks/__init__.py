"""
How long the plugin's main work takes, beside the least that it could cost on the same machine in the same run.

`make bench` runs everything on a scratch database that it makes and drops, prints a table, writes `results.json` and
fails when a limit is broken.
"""
