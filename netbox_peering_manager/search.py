"""What NetBox's global search finds of the plugin's objects. Weights: the lower, the better the match."""

from netbox.search import SearchIndex

from . import models


class PeeringFabricIndex(SearchIndex):
    model = models.PeeringFabric
    fields = (("name", 100), ("slug", 110), ("description", 500), ("comments", 5000))
    display_attrs = ("type", "status", "site", "tenant", "description")


class PeeringNetworkIndex(SearchIndex):
    model = models.PeeringNetwork
    fields = (("name", 100), ("description", 500), ("comments", 5000))
    display_attrs = ("fabric", "status", "ipv4_prefix", "ipv6_prefix", "description")


class PeeringConnectionIndex(SearchIndex):
    model = models.PeeringConnection
    fields = (("description", 500), ("comments", 5000))
    display_attrs = ("peering_network", "interface", "status", "description")


class PeerASNIndex(SearchIndex):
    model = models.PeerASN
    fields = (("name", 100), ("irr_as_set", 200), ("description", 500), ("comments", 5000))
    display_attrs = ("asn", "affiliated", "irr_as_set", "description")


class HiddenPeerIndex(SearchIndex):
    model = models.HiddenPeer
    fields = (("asn", 100), ("reason", 300), ("description", 500), ("comments", 5000))
    display_attrs = ("fabric", "until", "reason", "description")


class RelationshipIndex(SearchIndex):
    model = models.Relationship
    fields = (("name", 100), ("slug", 110), ("description", 500), ("comments", 5000))
    display_attrs = ("bgp_role", "description")


class PeeringSessionIndex(SearchIndex):
    model = models.PeeringSession
    fields = (("service_reference", 100), ("description", 500), ("comments", 5000))
    display_attrs = ("relationship", "peering_network", "bgp_peer", "description")


class PeeringRouterIndex(SearchIndex):
    model = models.PeeringRouter
    fields = (("description", 500), ("comments", 5000))
    display_attrs = ("device", "config_template", "description")


class DeploymentIndex(SearchIndex):
    # Not its reason, which may name neighbours: what is found is shown to whoever may view the deployment.
    model = models.Deployment
    fields = (("description", 500), ("comments", 5000))
    display_attrs = ("router", "kind", "status", "scheduled", "description")


indexes = (
    PeeringFabricIndex,
    PeeringNetworkIndex,
    PeeringConnectionIndex,
    PeerASNIndex,
    HiddenPeerIndex,
    RelationshipIndex,
    PeeringSessionIndex,
    PeeringRouterIndex,
    DeploymentIndex,
)
