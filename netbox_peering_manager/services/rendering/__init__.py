"""
From the database to a router's configuration, in stages that hand plain values to the next:

load (rows) → effective (what each session inherits) → policies (rows of the policies in use) → build (the
context) → render (text). `peering.render_peering` runs them all.
"""
