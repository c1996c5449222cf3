"""Choice sets of the plugin's models. Those with a `key` can be extended by a site through NetBox's FIELD_CHOICES."""

from django.utils.translation import gettext_lazy as _

from utilities.choices import ChoiceSet

__all__ = (
    "BGPRoleChoices",
    "ConnectionStatusChoices",
    "FabricStatusChoices",
    "FabricTypeChoices",
    "NetworkStatusChoices",
    "PeeringDBFieldChoices",
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
