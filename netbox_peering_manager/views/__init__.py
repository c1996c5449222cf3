from . import fabrics, jobs, peers, peers_hidden, rendering, routers, sessions  # noqa: F401  (registers the views)
