"""Every GraphQL filter of the plugin, where NetBox looks for a model's (`<app>.graphql.filters.<Model>Filter`)."""

from .deployments import *
from .fabrics import *
from .peers import *
from .peers_hidden import *
from .routers import *
from .sessions import *
