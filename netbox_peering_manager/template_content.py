"""What the plugin adds to pages of NetBox and netbox-routing, gathered from its areas."""

from .ui.drift import template_extensions as drift
from .ui.fabrics import template_extensions as fabrics
from .ui.peers import template_extensions as peers
from .ui.sessions import template_extensions as sessions

template_extensions = (*drift, *fabrics, *peers, *sessions)
