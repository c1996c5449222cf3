"""Area `peers`: the networks behind AS numbers, ours (affiliated) and those we peer with."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ipam.fields import ASNField
from netbox.models import PrimaryModel
from netbox.models.features import ContactsMixin

from ..choices import PeeringDBFieldChoices
from ..querysets import HiddenPeerQuerySet, PeerASNQuerySet

__all__ = ("HiddenPeer", "PeerASN")

# Tokens as PeeringDB's irr_as_set holds them, split by comma, blank or both: "AS-SET" or "SOURCE::AS-SET",
# possibly hierarchical ("AS64500:AS-CONE"), or a bare AS number (RFC 2622 §5.1).
AS_SET = r"(?:[A-Za-z][A-Za-z0-9-]*::)?AS[A-Za-z0-9_-]+(?::[A-Za-z0-9_-]+)*"
validate_as_set = RegexValidator(
    regex=rf"(?i)^{AS_SET}(?:[,\s]+{AS_SET})*$",
    message=_(
        "Write AS-SETs as AS-NAME, AS64500:AS-NAME or SOURCE::AS-NAME, several split by blanks or commas."
    ),
)


def all_peeringdb_fields() -> list[str]:
    """Return every field that can follow PeeringDB: the default of `follow_peeringdb`."""
    return PeeringDBFieldChoices.values()


class PeerASN(ContactsMixin, PrimaryModel):
    """What peering needs to know of an AS and ipam.ASN does not hold. Affiliated ones are ours."""

    asn = models.OneToOneField(
        verbose_name=_("ASN"), to="ipam.ASN", on_delete=models.PROTECT, related_name="peer_asn"
    )
    name = models.CharField(verbose_name=_("name"), max_length=255, blank=True)
    affiliated = models.BooleanField(
        verbose_name=_("affiliated"),
        default=False,
        help_text=_("We operate this AS: sessions can have it as their local AS"),
    )
    irr_as_set = models.CharField(
        verbose_name=_("IRR AS-SET"),
        max_length=255,
        blank=True,
        validators=[validate_as_set],
        help_text=_("As AS-NAME or SOURCE::AS-NAME"),
    )
    ipv4_max_prefixes = models.PositiveIntegerField(
        verbose_name=_("IPv4 max prefixes"),
        blank=True,
        null=True,
        help_text=_("IPv4 prefixes to accept from this AS at most"),
    )
    ipv6_max_prefixes = models.PositiveIntegerField(
        verbose_name=_("IPv6 max prefixes"),
        blank=True,
        null=True,
        help_text=_("IPv6 prefixes to accept from this AS at most"),
    )
    peeringdb_id = models.PositiveBigIntegerField(
        verbose_name=_("PeeringDB ID"),
        unique=True,
        blank=True,
        null=True,
        help_text=_("ID of the net in PeeringDB"),
    )
    peeringdb_last_sync = models.DateTimeField(
        verbose_name=_("last PeeringDB sync"), blank=True, null=True, editable=False
    )
    follow_peeringdb = ArrayField(
        verbose_name=_("follow PeeringDB"),
        base_field=models.CharField(max_length=30, choices=PeeringDBFieldChoices),
        default=all_peeringdb_fields,
        blank=True,
        help_text=_("Fields that a PeeringDB sync may update"),
    )

    objects = PeerASNQuerySet.as_manager()

    clone_fields = ("affiliated", "follow_peeringdb", "description")
    prerequisite_models = ("ipam.ASN",)

    class Meta:
        ordering = ("asn",)
        verbose_name = _("peer ASN")
        verbose_name_plural = _("peer ASNs")

    def __str__(self) -> str:
        return self.label(self.asn.asn, self.name)

    @staticmethod
    def label(number: int, name: str) -> str:
        """Return how the peer ASN of this AS number and name is called: "AS64496 (Example)"."""
        return f"AS{number} ({name})" if name else f"AS{number}"

    def clean(self) -> None:
        super().clean()
        if self._is_local_as_without_being_ours():
            raise ValidationError(
                {
                    "affiliated": _(
                        "Sessions have {asn} as their local AS: it stays affiliated as long as they do. "
                        "Change their local AS first."
                    ).format(asn=self.asn)
                }
            )

    def _is_local_as_without_being_ours(self) -> bool:
        from .sessions import PeeringSession

        if self.affiliated or not self.pk:
            return False
        was_affiliated = type(self).objects.filter(pk=self.pk, affiliated=True, asn=self.asn_id).exists()
        return was_affiliated and PeeringSession.objects.for_local_as(self.asn_id).exists()

    def unique_error_message(self, model_class, unique_check) -> ValidationError:
        if unique_check != ("asn",):
            return super().unique_error_message(model_class, unique_check)
        return ValidationError(
            _("{asn} has a peer ASN already: edit that one instead of creating another.").format(
                asn=self.asn
            ),
            code="unique",
        )

    def max_prefixes(self, family: int) -> int | None:
        """Return the limit for family 4 or 6, None when none is set."""
        return self.ipv4_max_prefixes if family == 4 else self.ipv6_max_prefixes


class HiddenPeer(PrimaryModel):
    """
    A network that is not to be proposed as a peer, on one fabric or everywhere, for good or until a day.

    By AS number and not by PeerASN: most of those that one hides are no peers and have none.
    """

    asn = ASNField(verbose_name=_("ASN"))
    fabric = models.ForeignKey(
        verbose_name=_("fabric"),
        to="netbox_peering_manager.PeeringFabric",
        on_delete=models.CASCADE,
        related_name="hidden_peers",
        blank=True,
        null=True,
        help_text=_("Left empty: hidden everywhere"),
    )
    reason = models.CharField(verbose_name=_("reason"), max_length=200, blank=True)
    until = models.DateField(
        verbose_name=_("until"),
        blank=True,
        null=True,
        help_text=_("The last day on which it is hidden; left empty: for good"),
    )

    objects = HiddenPeerQuerySet.as_manager()

    clone_fields = ("fabric", "reason", "until", "description")

    class Meta:
        ordering = ("asn", "fabric", "pk")
        verbose_name = _("hidden peer")
        verbose_name_plural = _("hidden peers")
        constraints = (
            models.UniqueConstraint(
                fields=("asn", "fabric"),
                name="%(app_label)s_%(class)s_unique_asn_fabric",
                nulls_distinct=False,
                violation_error_message=_("This network is hidden there already: edit that entry instead."),
            ),
        )

    def __str__(self) -> str:
        return f"AS{self.asn}"
