"""
The work behind the faces. Import from the modules; what scripts were promised to find here is here as well.

Not imported before it is asked for, as models are not there yet when the plugin is loaded.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .peeringdb.service import PeeringDBSyncService

__all__ = ("PeeringDBSyncService",)


def __getattr__(name: str) -> Any:
    if name == "PeeringDBSyncService":
        from .peeringdb.service import PeeringDBSyncService

        return PeeringDBSyncService
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
