"""GraphQL: each area's filters, types and part of the root; NetBox gathers `schema`."""

from . import deployments, fabrics, peers, peers_hidden, routers, sessions

schema = [
    *fabrics.schema,
    *peers.schema,
    *peers_hidden.schema,
    *sessions.schema,
    *routers.schema,
    *deployments.schema,
]
