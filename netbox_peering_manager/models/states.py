"""
What was observed on routers: the states of sessions, their history, and neighbours that NetBox does not know.

Written by services.monitoring in bulk, without change log: it is what the network does, not what somebody decided.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..choices import BGPStateChoices, RouterDriftChoices
from ..querysets import UnknownNeighborQuerySet

__all__ = ("RouterState", "SessionSample", "SessionState", "SessionStateChange", "UnknownNeighbor")


class Counted(models.Model):
    """How many prefixes a session carries, IPv4 and IPv6 apart; None: not told, or no such family."""

    ipv4_received = models.PositiveIntegerField(null=True, blank=True)
    ipv4_accepted = models.PositiveIntegerField(null=True, blank=True)
    ipv4_advertised = models.PositiveIntegerField(null=True, blank=True)
    ipv6_received = models.PositiveIntegerField(null=True, blank=True)
    ipv6_accepted = models.PositiveIntegerField(null=True, blank=True)
    ipv6_advertised = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        abstract = True


class RouterState(models.Model):
    """What polls and comparisons of a router found. No row: neither has been tried."""

    _netbox_private = True

    router = models.OneToOneField(
        to="netbox_peering_manager.PeeringRouter", on_delete=models.CASCADE, related_name="state"
    )
    # The last poll that was answered, and since when and why the polls after it were not.
    polled = models.DateTimeField(blank=True, null=True)
    failing_since = models.DateTimeField(blank=True, null=True)
    failure = models.TextField(blank=True)
    # When the next poll at the router's interval is due. That there is one at a time, its jobs tell.
    poll_due = models.DateTimeField(blank=True, null=True)
    # The last comparison of configurations: what differed, masked, or why there was none.
    drift = models.CharField(max_length=10, choices=RouterDriftChoices, blank=True)
    compared = models.DateTimeField(blank=True, null=True)
    # Since when it differs, as far as comparisons saw.
    drift_since = models.DateTimeField(blank=True, null=True)
    masked_diff = models.TextField(blank=True)
    drift_failure = models.TextField(blank=True)
    # The addresses of neighbours that the text which was compared does not name, although NetBox has a session.
    unnamed = models.JSONField(blank=True, default=list)

    class Meta:
        ordering = ("router",)

    def __str__(self) -> str:
        return str(self.router)

    def get_drift_color(self) -> str | None:
        return RouterDriftChoices.colors.get(self.drift)


class SessionState(Counted):
    """The last known state of a session. No row: never polled."""

    _netbox_private = True

    session = models.OneToOneField(
        to="netbox_peering_manager.PeeringSession", on_delete=models.CASCADE, related_name="state"
    )
    bgp_state = models.CharField(max_length=20, choices=BGPStateChoices)
    # Why, as the router tells it ("administratively down", "hold timer expired"); may be empty.
    reason = models.CharField(max_length=200, blank=True)
    # Since when it is in this state, as far as polls saw, and since when it is up, as the router tells it.
    since = models.DateTimeField()
    up_since = models.DateTimeField(blank=True, null=True)
    # None: no poll has ever seen it Established.
    last_established = models.DateTimeField(blank=True, null=True)
    # How often polls saw it leave Established.
    flaps = models.PositiveIntegerField(default=0)
    polled = models.DateTimeField()
    # The router no longer answers: since when and why. The state is the last one known.
    stale_since = models.DateTimeField(blank=True, null=True)
    stale_because = models.CharField(max_length=500, blank=True)
    # The limits in effect when it was polled.
    ipv4_limit = models.PositiveIntegerField(null=True, blank=True)
    ipv6_limit = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ("session",)
        verbose_name = _("session state")
        verbose_name_plural = _("session states")
        indexes = (models.Index(fields=("bgp_state", "since")),)

    def __str__(self) -> str:
        return f"{self.session}: {self.get_bgp_state_display()}"

    def get_bgp_state_color(self) -> str | None:
        return "gray" if self.stale_since else BGPStateChoices.colors.get(self.bgp_state)


class SessionStateChange(models.Model):
    """A session was seen to go from one state to another."""

    _netbox_private = True

    session = models.ForeignKey(
        to="netbox_peering_manager.PeeringSession", on_delete=models.CASCADE, related_name="state_changes"
    )
    at = models.DateTimeField()
    # "" of the first state seen.
    former_state = models.CharField(max_length=20, choices=BGPStateChoices, blank=True)
    bgp_state = models.CharField(max_length=20, choices=BGPStateChoices)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("session", "-at")
        indexes = (models.Index(fields=("session", "-at")), models.Index(fields=("at",)))

    def __str__(self) -> str:
        return f"{self.session}: {self.get_bgp_state_display()}"

    def get_bgp_state_color(self) -> str | None:
        return BGPStateChoices.colors.get(self.bgp_state)


class SessionSample(Counted):
    """The counters of one poll. Older ones are thinned out."""

    _netbox_private = True

    session = models.ForeignKey(
        to="netbox_peering_manager.PeeringSession", on_delete=models.CASCADE, related_name="samples"
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ("session", "at")
        indexes = (models.Index(fields=("session", "at")), models.Index(fields=("at",)))

    def __str__(self) -> str:
        return f"{self.session}: {self.at}"


class UnknownNeighbor(models.Model):
    """A BGP neighbour that a router has and NetBox does not."""

    _netbox_private = True

    router = models.ForeignKey(
        to="netbox_peering_manager.PeeringRouter", on_delete=models.CASCADE, related_name="unknown_neighbors"
    )
    vrf = models.CharField(max_length=100, blank=True)
    remote_ip = models.GenericIPAddressField()
    remote_asn = models.BigIntegerField(null=True, blank=True)
    description = models.CharField(max_length=255, blank=True)
    bgp_state = models.CharField(max_length=20, choices=BGPStateChoices)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    objects = UnknownNeighborQuerySet.as_manager()

    class Meta:
        ordering = ("router", "vrf", "remote_ip")
        verbose_name = _("unknown neighbor")
        verbose_name_plural = _("unknown neighbors")
        constraints = (
            models.UniqueConstraint(
                fields=("router", "vrf", "remote_ip"), name="%(app_label)s_%(class)s_unique_neighbor"
            ),
        )

    def __str__(self) -> str:
        return f"{self.router}: {self.remote_ip}"

    def get_bgp_state_color(self) -> str | None:
        return BGPStateChoices.colors.get(self.bgp_state)
