"""GraphQL: each area's filters, types and part of the root; NetBox gathers `schema`."""

from . import fabrics, peers, routers, sessions

schema = [*fabrics.schema, *peers.schema, *sessions.schema, *routers.schema]
