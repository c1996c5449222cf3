"""Choice sets of the plugin's models. Those with a `key` can be extended by a site through NetBox's FIELD_CHOICES."""

from django.utils.translation import gettext_lazy as _

from utilities.choices import ChoiceSet

__all__ = (
    "DEPLOYMENT_MOVES",
    "ApprovalChoices",
    "BGPRoleChoices",
    "BGPStateChoices",
    "ConfigModeChoices",
    "ConnectionStatusChoices",
    "DeploymentKindChoices",
    "DeploymentStatusChoices",
    "FabricStatusChoices",
    "FabricTypeChoices",
    "LeftOutChoices",
    "NetworkStatusChoices",
    "PeeringDBDriftChoices",
    "PeeringDBFieldChoices",
    "PeeringDBNetworkTypeChoices",
    "PeeringDBPolicyChoices",
    "PeeringDBRatioChoices",
    "PeeringDBScopeChoices",
    "PeeringDBSyncModeChoices",
    "PeeringDBSyncStatusChoices",
    "PeeringDBTrafficChoices",
    "RouterDriftChoices",
    "SessionConfigurationChoices",
    "SkipReasonChoices",
)


class FabricTypeChoices(ChoiceSet):
    key = "PeeringFabric.type"

    IX = "ix"
    CLOUD_EXCHANGE = "cloud-exchange"
    PRIVATE_LAN = "private-lan"
    PNI = "pni"

    CHOICES = [
        (IX, _("Internet exchange"), "blue"),
        (CLOUD_EXCHANGE, _("Cloud exchange"), "cyan"),
        (PRIVATE_LAN, _("Private LAN"), "indigo"),
        (PNI, _("Private interconnect"), "purple"),
    ]


_LIFECYCLE = (
    ("planned", _("Planned"), "cyan"),
    ("active", _("Active"), "green"),
    ("maintenance", _("Maintenance"), "yellow"),
    ("decommissioned", _("Decommissioned"), "gray"),
)


class FabricStatusChoices(ChoiceSet):
    key = "PeeringFabric.status"

    ACTIVE = "active"

    CHOICES = [*_LIFECYCLE]


class NetworkStatusChoices(ChoiceSet):
    key = "PeeringNetwork.status"

    ACTIVE = "active"

    CHOICES = [*_LIFECYCLE]


class ConnectionStatusChoices(ChoiceSet):
    key = "PeeringConnection.status"

    ACTIVE = "active"

    CHOICES = [*_LIFECYCLE]


class BGPRoleChoices(ChoiceSet):
    """Our role on a session (RFC 9234 §4.1). Legal pairs: provider and customer, rs and rs-client, peer and peer."""

    PROVIDER = "provider"
    RS = "rs"
    RS_CLIENT = "rs-client"
    CUSTOMER = "customer"
    PEER = "peer"

    CHOICES = [
        (PROVIDER, _("Provider"), "blue"),
        (RS, _("Route server"), "yellow"),
        (RS_CLIENT, _("Route server client"), "orange"),
        (CUSTOMER, _("Customer"), "red"),
        (PEER, _("Peer"), "green"),
    ]


class PeeringDBFieldChoices(ChoiceSet):
    """The fields of a PeerASN that can follow PeeringDB."""

    NAME = "name"
    IRR_AS_SET = "irr_as_set"
    IPV4_MAX_PREFIXES = "ipv4_max_prefixes"
    IPV6_MAX_PREFIXES = "ipv6_max_prefixes"

    CHOICES = [
        (NAME, _("Name")),
        (IRR_AS_SET, _("IRR AS-SET")),
        (IPV4_MAX_PREFIXES, _("IPv4 max prefixes")),
        (IPV6_MAX_PREFIXES, _("IPv6 max prefixes")),
    ]


# What networks say of themselves in PeeringDB, in PeeringDB's words, which are no matter of translation. In the order
# in which they compare; "" is what a network that says nothing has.


class PeeringDBPolicyChoices(ChoiceSet):
    """A network's general peering policy, the most inviting first."""

    CHOICES = [
        ("Open", "Open", "green"),
        ("Selective", "Selective", "cyan"),
        ("Restrictive", "Restrictive", "orange"),
        ("No", "No", "red"),
    ]


class PeeringDBTrafficChoices(ChoiceSet):
    """How much traffic a network carries, the least first."""

    CHOICES = [
        (value, value)
        for value in (
            "0-20Mbps", "20-100Mbps", "100-1000Mbps", "1-5Gbps", "5-10Gbps", "10-20Gbps", "20-50Gbps",
            "50-100Gbps", "100-200Gbps", "200-300Gbps", "300-500Gbps", "500-1000Gbps", "1-5Tbps", "5-10Tbps",
            "10-20Tbps", "20-50Tbps", "50-100Tbps", "100+Tbps",
        )
    ]  # fmt: skip


class PeeringDBRatioChoices(ChoiceSet):
    """Which way a network's traffic goes."""

    CHOICES = [
        (value, value)
        for value in (
            "Heavy Outbound", "Mostly Outbound", "Balanced", "Mostly Inbound", "Heavy Inbound", "Not Disclosed",
        )
    ]  # fmt: skip


class PeeringDBScopeChoices(ChoiceSet):
    """Where a network is."""

    CHOICES = [
        (value, value)
        for value in (
            "Regional", "North America", "Asia Pacific", "Europe", "South America", "Africa", "Australia",
            "Middle East", "Global", "Not Disclosed",
        )
    ]  # fmt: skip


class PeeringDBNetworkTypeChoices(ChoiceSet):
    """What kinds of network it is: one or several."""

    CHOICES = [
        (value, value)
        for value in (
            "NSP", "Content", "Cable/DSL/ISP", "Enterprise", "Educational/Research", "Non-Profit", "Route Server",
            "Network Services", "Route Collector", "Government",
        )
    ]  # fmt: skip


class LeftOutChoices(ChoiceSet):
    """What to do with rows that a list leaves out unless it is told to show them."""

    ALSO = "also"
    ONLY = "only"

    CHOICES = [(ALSO, _("Show them too")), (ONLY, _("Show only them"))]


class PeeringDBSyncModeChoices(ChoiceSet):
    FULL = "full"
    INCREMENTAL = "incremental"

    CHOICES = [(FULL, _("Full"), "blue"), (INCREMENTAL, _("Incremental"), "cyan")]


class PeeringDBSyncStatusChoices(ChoiceSet):
    """An interrupted sync was found running when nobody held the lock any more: its process died."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    CHOICES = [
        (RUNNING, _("Running"), "cyan"),
        (COMPLETED, _("Completed"), "green"),
        (FAILED, _("Failed"), "red"),
        (INTERRUPTED, _("Interrupted"), "orange"),
    ]


class PeeringDBDriftChoices(ChoiceSet):
    """What can disagree with PeeringDB, and the object that each is about."""

    PEER_ADDRESS_GONE = "peer-address-gone"  # PeeringSession
    PEER_ASN_CHANGED = "peer-asn-changed"  # PeeringSession
    PORT_NOT_OPERATIONAL = "port-not-operational"  # PeeringSession
    NETWORK_GONE = "network-gone"  # PeerASN
    MAX_PREFIXES_DIFFER = "max-prefixes-differ"  # PeerASN, PeeringSession
    AS_SET_DIFFERS = "as-set-differs"  # PeerASN
    CONTACTS_GONE = "contacts-gone"  # PeerASN
    OWN_PORT_MISSING_HERE = "own-port-missing-here"  # PeerASN, ours
    OWN_PORT_MISSING_THERE = "own-port-missing-there"  # PeeringConnection
    PREFIX_CHANGED = "prefix-changed"  # PeeringNetwork

    CHOICES = [
        (PEER_ADDRESS_GONE, _("Peer's address not in PeeringDB"), "red"),
        (PEER_ASN_CHANGED, _("Peer's address belongs to another AS"), "red"),
        (PORT_NOT_OPERATIONAL, _("Peer's port not operational"), "orange"),
        (NETWORK_GONE, _("Network not in PeeringDB"), "red"),
        (MAX_PREFIXES_DIFFER, _("Max prefixes differ"), "yellow"),
        (AS_SET_DIFFERS, _("AS-SET differs"), "yellow"),
        (CONTACTS_GONE, _("No contact left"), "gray"),
        (OWN_PORT_MISSING_HERE, _("Own port missing in NetBox"), "orange"),
        (OWN_PORT_MISSING_THERE, _("Own port missing in PeeringDB"), "orange"),
        (PREFIX_CHANGED, _("Exchange renumbered"), "red"),
    ]


class SkipReasonChoices(ChoiceSet):
    """Why a session that was asked for is not made."""

    EXISTS = "exists"
    REPEATED = "repeated"
    ADDRESS_TAKEN = "address-taken"
    NO_ADDRESS = "no-address"
    NO_SCOPE = "no-scope"
    NOT_ON_LAN = "not-on-lan"
    NOT_OPERATIONAL = "not-operational"
    ROUTE_SERVER = "route-server"
    OURS = "ours"
    GONE = "gone"
    CHANGED = "changed"
    NOT_ALLOWED = "not-allowed"
    INVALID = "invalid"

    CHOICES = [
        (EXISTS, _("Exists already"), "gray"),
        (REPEATED, _("Asked for twice"), "gray"),
        (ADDRESS_TAKEN, _("Address in use"), "red"),
        (NO_ADDRESS, _("No address of that family"), "gray"),
        (NO_SCOPE, _("No BGP scope"), "orange"),
        (NOT_ON_LAN, _("No connection on its LAN"), "gray"),
        (NOT_OPERATIONAL, _("Not operational"), "orange"),
        (ROUTE_SERVER, _("Route server left out"), "gray"),
        (OURS, _("Our own port"), "gray"),
        (GONE, _("No longer in PeeringDB"), "orange"),
        (CHANGED, _("Changed in PeeringDB"), "orange"),
        (NOT_ALLOWED, _("Not allowed"), "red"),
        (INVALID, _("Refused"), "red"),
    ]


class ConfigModeChoices(ChoiceSet):
    """How a configuration goes to the router: added to the running one, or in its place."""

    MERGE = "merge"
    REPLACE = "replace"

    CHOICES = [
        (MERGE, _("Merge"), "blue"),
        (REPLACE, _("Replace"), "purple"),
    ]


class ApprovalChoices(ChoiceSet):
    """Whether somebody has to approve what is sent to a router."""

    NONE = "none"
    ONE = "one"
    OTHER = "other"

    CHOICES = [
        (NONE, _("Not needed"), "gray"),
        (ONE, _("Anybody who may approve"), "blue"),
        (OTHER, _("Somebody else than the author"), "purple"),
    ]


class DeploymentKindChoices(ChoiceSet):
    CONFIGURE = "configure"
    REMOVE = "remove"
    COMMANDS = "commands"

    CHOICES = [
        (CONFIGURE, _("Configure"), "blue"),
        (REMOVE, _("Remove"), "orange"),
        (COMMANDS, _("One-time commands"), "purple"),
    ]


class DeploymentStatusChoices(ChoiceSet):
    """Where a deployment stands. DEPLOYMENT_MOVES says what may follow."""

    RENDERED = "rendered"
    COMPARED = "compared"
    AWAITING_APPROVAL = "awaiting-approval"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    COMMITTING = "committing"
    CONFIRMING = "confirming"
    DONE = "done"
    ROLLED_BACK = "rolled-back"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    CHOICES = [
        (RENDERED, _("Rendered"), "gray"),
        (COMPARED, _("Compared"), "cyan"),
        (AWAITING_APPROVAL, _("Awaiting approval"), "yellow"),
        (APPROVED, _("Approved"), "teal"),
        (SCHEDULED, _("Scheduled"), "indigo"),
        (COMMITTING, _("Committing"), "blue"),
        (CONFIRMING, _("Confirming"), "blue"),
        (DONE, _("Done"), "green"),
        (ROLLED_BACK, _("Rolled back"), "orange"),
        (FAILED, _("Failed"), "red"),
        (CANCELLED, _("Cancelled"), "gray"),
        (EXPIRED, _("Expired"), "gray"),
    ]

    # Nothing follows on these.
    ENDED = (DONE, ROLLED_BACK, FAILED, CANCELLED, EXPIRED)
    # It waits for somebody or something, and the router has not been touched.
    WAITING = (RENDERED, COMPARED, AWAITING_APPROVAL, APPROVED, SCHEDULED)
    # The router may be touched now; one deployment of a router at a time.
    SENDING = (COMMITTING, CONFIRMING)


# From where to where a deployment may go. Everything else is refused.
DEPLOYMENT_MOVES = {
    DeploymentStatusChoices.RENDERED: (
        DeploymentStatusChoices.COMPARED,
        DeploymentStatusChoices.FAILED,
        DeploymentStatusChoices.CANCELLED,
        DeploymentStatusChoices.EXPIRED,
    ),
    DeploymentStatusChoices.COMPARED: (
        DeploymentStatusChoices.AWAITING_APPROVAL,
        DeploymentStatusChoices.SCHEDULED,
        DeploymentStatusChoices.COMMITTING,
        # There was nothing to change.
        DeploymentStatusChoices.DONE,
        DeploymentStatusChoices.FAILED,
        DeploymentStatusChoices.CANCELLED,
        DeploymentStatusChoices.EXPIRED,
    ),
    DeploymentStatusChoices.AWAITING_APPROVAL: (
        DeploymentStatusChoices.APPROVED,
        DeploymentStatusChoices.FAILED,
        DeploymentStatusChoices.CANCELLED,
        DeploymentStatusChoices.EXPIRED,
    ),
    DeploymentStatusChoices.APPROVED: (
        DeploymentStatusChoices.SCHEDULED,
        DeploymentStatusChoices.COMMITTING,
        DeploymentStatusChoices.FAILED,
        DeploymentStatusChoices.CANCELLED,
        DeploymentStatusChoices.EXPIRED,
    ),
    DeploymentStatusChoices.SCHEDULED: (
        DeploymentStatusChoices.COMMITTING,
        DeploymentStatusChoices.FAILED,
        DeploymentStatusChoices.CANCELLED,
        DeploymentStatusChoices.EXPIRED,
    ),
    DeploymentStatusChoices.COMMITTING: (
        DeploymentStatusChoices.CONFIRMING,
        DeploymentStatusChoices.ROLLED_BACK,
        DeploymentStatusChoices.FAILED,
    ),
    DeploymentStatusChoices.CONFIRMING: (
        DeploymentStatusChoices.DONE,
        DeploymentStatusChoices.ROLLED_BACK,
        DeploymentStatusChoices.FAILED,
    ),
    **dict.fromkeys(DeploymentStatusChoices.ENDED, ()),
}


class SessionConfigurationChoices(ChoiceSet):
    """Whether a session is on its router. A session without a row is NOT_CONFIGURED."""

    NOT_CONFIGURED = "not-configured"
    SCHEDULED = "scheduled"
    CONFIGURED = "configured"
    DIFFERS = "differs"
    FAILED = "failed"

    CHOICES = [
        (NOT_CONFIGURED, _("Not configured"), "gray"),
        (SCHEDULED, _("Scheduled"), "indigo"),
        (CONFIGURED, _("Configured"), "green"),
        (DIFFERS, _("Differs"), "yellow"),
        (FAILED, _("Failed"), "red"),
    ]


class RouterDriftChoices(ChoiceSet):
    """What comparing a router's configuration with NetBox's found."""

    SAME = "same"
    DIFFERS = "differs"
    FAILED = "failed"

    CHOICES = [
        (SAME, _("Same"), "green"),
        (DIFFERS, _("Differs"), "yellow"),
        (FAILED, _("Not compared"), "red"),
    ]


class BGPStateChoices(ChoiceSet):
    """States of BGP's finite state machine (RFC 4271 §8.2.2), and MISSING: the router does not list the session."""

    IDLE = "idle"
    CONNECT = "connect"
    ACTIVE = "active"
    OPENSENT = "opensent"
    OPENCONFIRM = "openconfirm"
    ESTABLISHED = "established"
    MISSING = "missing"

    CHOICES = [
        (IDLE, _("Idle"), "red"),
        (CONNECT, _("Connect"), "orange"),
        (ACTIVE, _("Active"), "orange"),
        (OPENSENT, _("OpenSent"), "yellow"),
        (OPENCONFIRM, _("OpenConfirm"), "yellow"),
        (ESTABLISHED, _("Established"), "green"),
        (MISSING, _("Missing"), "purple"),
    ]


class ImportReasonChoices(ChoiceSet):
    """Why a neighbour of a router is not imported."""

    INTERNAL = "internal"
    NO_ASN = "no-asn"
    NO_VRF = "no-vrf"
    NO_RELATIONSHIP = "no-relationship"
    OUR_ADDRESS = "our-address"
    LAN = "lan"
    LACKING = "lacking"
    NO_POLICY = "no-policy"
    NOT_RUNNING = "not-running"
    HIDDEN = "hidden"
    CHANGED = "changed"
    NOT_ALLOWED = "not-allowed"
    REFUSED = "refused"

    CHOICES = [
        (INTERNAL, _("iBGP"), "gray"),
        (NO_ASN, _("Remote AS unknown"), "orange"),
        (NO_VRF, _("No such VRF"), "orange"),
        (NO_RELATIONSHIP, _("No relationship chosen"), "yellow"),
        (OUR_ADDRESS, _("Our address unknown"), "orange"),
        (LAN, _("LAN undecided"), "orange"),
        (LACKING, _("Something is missing"), "orange"),
        (NO_POLICY, _("Policy not in NetBox"), "orange"),
        (NOT_RUNNING, _("Not running"), "gray"),
        (HIDDEN, _("Not yours to see"), "gray"),
        (CHANGED, _("Changed since the preview"), "orange"),
        (NOT_ALLOWED, _("Not allowed"), "red"),
        (REFUSED, _("Refused"), "red"),
    ]
