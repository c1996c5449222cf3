from . import (  # noqa: F401  (registers the views)
    fabrics,
    jobs,
    peeringdb,
    peeringdb_drift,
    peers,
    peers_hidden,
    rendering,
    routers,
    sessions,
)
