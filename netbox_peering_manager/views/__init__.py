from . import fabrics, peers, rendering, routers, sessions  # noqa: F401  (registers the views)
