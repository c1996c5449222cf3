from .fabrics import PeeringConnection, PeeringFabric, PeeringNetwork
from .peers import PeerASN
from .routers import PeeringRouter
from .sessions import PeeringSession, Relationship, RemovedSession

__all__ = (
    "PeerASN",
    "PeeringConnection",
    "PeeringFabric",
    "PeeringNetwork",
    "PeeringRouter",
    "PeeringSession",
    "Relationship",
    "RemovedSession",
)
