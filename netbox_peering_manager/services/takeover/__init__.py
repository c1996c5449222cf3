"""
Taking over the sessions that a router already has.

    read.py: the router → found.py: plain values → standing.py: what NetBox has → match.py, compare.py → plan.py
    → create.py: NetBox

Reading happens in a job near the routers, and what was read waits encrypted (`kept`) until somebody has looked at the
plan.
"""
