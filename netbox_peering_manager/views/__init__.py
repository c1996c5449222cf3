from . import fabrics, jobs, peers, rendering, routers, sessions  # noqa: F401  (registers the views)
