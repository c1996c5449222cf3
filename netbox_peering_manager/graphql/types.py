"""Every GraphQL type of the plugin, where NetBox looks for the type of a model (`<app>.graphql.types.<Model>Type`)."""

from .deployments import *
from .fabrics import *
from .peers import *
from .peers_hidden import *
from .routers import *
from .sessions import *
