from . import (  # noqa: F401  (registers the views)
    fabrics,
    fabrics_peeringdb,
    jobs,
    peeringdb,
    peeringdb_drift,
    peers,
    peers_candidates,
    peers_common,
    peers_hidden,
    rendering,
    routers,
    sessions,
)
