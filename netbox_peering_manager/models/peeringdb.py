"""
Area `peeringdb`: the mirror of PeeringDB, what its syncs did, and where NetBox disagrees with it.

The mirror has a table per PeeringDB type, with PeeringDB's ids as primary keys and no foreign keys: children can
point at rows that never arrive, and the tables can be emptied and filled again at will. Other models refer to a row
by its id alone. Fields that peering needs are columns; everything else is kept in `extra` as it came. Text has no
length here: services.peeringdb.records refuses what is longer than PeeringDB says.
"""

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ipam.fields import IPNetworkField
from utilities.querysets import RestrictedQuerySet

from ..choices import PeeringDBDriftChoices, PeeringDBSyncModeChoices, PeeringDBSyncStatusChoices
from ..querysets import PeeringDBDriftQuerySet

__all__ = (
    "MIRROR",
    "PeeringDBCampus",
    "PeeringDBCarrier",
    "PeeringDBCarrierFac",
    "PeeringDBDrift",
    "PeeringDBFac",
    "PeeringDBIX",
    "PeeringDBIXFac",
    "PeeringDBIXLan",
    "PeeringDBIXPfx",
    "PeeringDBNet",
    "PeeringDBNetFac",
    "PeeringDBNetIXLan",
    "PeeringDBOrg",
    "PeeringDBPoc",
    "PeeringDBRefusedRow",
    "PeeringDBSync",
    "PeeringDBWatermark",
)


def joined(to: str, by: str) -> models.ForeignObject:
    """
    Return a relation that joins the row of `to` whose id stands in the column `by`: no column or key of its own.

    Always an outer join, because that row may not be there. Read it with select_related(): it is None then, and
    DoesNotExist when it is looked up alone.
    """
    return models.ForeignObject(
        to=to,
        on_delete=models.DO_NOTHING,
        from_fields=[by],
        to_fields=["id"],
        related_name="+",
        null=True,
    )


class Mirrored(models.Model):
    """A row of PeeringDB, by its id there."""

    _netbox_private = True

    id = models.BigIntegerField(primary_key=True)
    status = models.TextField()
    created = models.DateTimeField(null=True)
    updated = models.DateTimeField()
    extra = models.JSONField(default=dict)

    class Meta:
        abstract = True


class PeeringDBOrg(Mirrored):
    """An organisation."""

    name = models.TextField()
    aka = models.TextField()
    website = models.TextField()
    city = models.TextField()
    country = models.TextField()

    def __str__(self) -> str:
        return self.name


class PeeringDBCampus(Mirrored):
    """A group of facilities."""

    org_id = models.BigIntegerField()
    name = models.TextField()
    city = models.TextField()
    country = models.TextField()

    def __str__(self) -> str:
        return self.name


class PeeringDBFac(Mirrored):
    """A facility: a building where private interconnects are possible."""

    org_id = models.BigIntegerField()
    campus_id = models.BigIntegerField(null=True)
    name = models.TextField()
    aka = models.TextField()
    website = models.TextField()
    address1 = models.TextField()
    city = models.TextField()
    state = models.TextField()
    country = models.TextField()
    zipcode = models.TextField()
    clli = models.TextField()
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    region_continent = models.TextField()

    class Meta:
        verbose_name = _("PeeringDB facility")
        verbose_name_plural = _("PeeringDB facilities")

    def __str__(self) -> str:
        return self.name


class PeeringDBCarrier(Mirrored):
    """A carrier that can be bought from in facilities."""

    org_id = models.BigIntegerField()
    name = models.TextField()
    aka = models.TextField()
    website = models.TextField()

    def __str__(self) -> str:
        return self.name


class PeeringDBCarrierFac(Mirrored):
    """A carrier's presence in a facility."""

    carrier_id = models.BigIntegerField()
    fac_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"carrier {self.carrier_id} in fac {self.fac_id}"


class PeeringDBNet(Mirrored):
    """A network: an AS with its policy and what it says of itself. Prefix counts are suggestions for our limits."""

    org_id = models.BigIntegerField()
    asn = models.BigIntegerField(db_index=True)
    name = models.TextField()
    aka = models.TextField()
    irr_as_set = models.TextField()
    website = models.TextField()
    looking_glass = models.TextField()
    info_types = ArrayField(models.TextField())
    info_prefixes4 = models.BigIntegerField(null=True)
    info_prefixes6 = models.BigIntegerField(null=True)
    info_traffic = models.TextField()
    info_ratio = models.TextField()
    info_scope = models.TextField()
    info_unicast = models.BooleanField()
    info_multicast = models.BooleanField()
    info_ipv6 = models.BooleanField()
    info_never_via_route_servers = models.BooleanField()
    policy_url = models.TextField()
    policy_general = models.TextField()
    policy_locations = models.TextField()
    policy_ratio = models.BooleanField()
    policy_contracts = models.TextField()
    status_dashboard = models.TextField()
    rir_status = models.TextField()

    class Meta:
        verbose_name = _("PeeringDB network")
        verbose_name_plural = _("PeeringDB networks")

    def __str__(self) -> str:
        return f"AS{self.asn} ({self.name})"


class PeeringDBIX(Mirrored):
    """An internet exchange."""

    org_id = models.BigIntegerField()
    name = models.TextField()
    aka = models.TextField()
    name_long = models.TextField()
    city = models.TextField()
    country = models.TextField()
    region_continent = models.TextField()
    media = models.TextField()
    website = models.TextField()
    url_stats = models.TextField()
    tech_email = models.TextField()
    policy_email = models.TextField()
    service_level = models.TextField()
    terms = models.TextField()
    status_dashboard = models.TextField()

    class Meta:
        verbose_name = _("PeeringDB exchange")
        verbose_name_plural = _("PeeringDB exchanges")

    def __str__(self) -> str:
        return self.name


class PeeringDBIXFac(Mirrored):
    """An exchange's presence in a facility."""

    ix_id = models.BigIntegerField(db_index=True)
    fac_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"ix {self.ix_id} in fac {self.fac_id}"


class PeeringDBIXLan(Mirrored):
    """A LAN of an exchange."""

    ix_id = models.BigIntegerField(db_index=True)
    name = models.TextField()
    mtu = models.BigIntegerField(null=True)
    rs_asn = models.BigIntegerField(null=True)
    arp_sponge = models.TextField()
    ixf_ixp_member_list_url = models.TextField()

    def __str__(self) -> str:
        return self.name or f"ixlan {self.id}"


class PeeringDBIXPfx(Mirrored):
    """A prefix of an IX LAN."""

    ixlan_id = models.BigIntegerField(db_index=True)
    protocol = models.TextField()
    prefix = IPNetworkField()
    in_dfz = models.BooleanField()

    def __str__(self) -> str:
        return str(self.prefix)


class PeeringDBNetFac(Mirrored):
    """A network's presence in a facility."""

    net_id = models.BigIntegerField(db_index=True)
    fac_id = models.BigIntegerField(db_index=True)
    local_asn = models.BigIntegerField(null=True)
    net = joined("PeeringDBNet", by="net_id")
    fac = joined("PeeringDBFac", by="fac_id")

    def __str__(self) -> str:
        return f"net {self.net_id} in fac {self.fac_id}"


class PeeringDBNetIXLan(Mirrored):
    """One network's port on one IX LAN. Two rows can swap their addresses in one sync: no address is unique here."""

    net_id = models.BigIntegerField(db_index=True)
    ix_id = models.BigIntegerField()
    ixlan_id = models.BigIntegerField(db_index=True)
    asn = models.BigIntegerField(db_index=True)
    speed = models.BigIntegerField(help_text=_("In Mbit/s"))
    ipaddr4 = models.GenericIPAddressField(null=True, db_index=True)
    ipaddr6 = models.GenericIPAddressField(null=True, db_index=True)
    is_rs_peer = models.BooleanField(help_text=_("The network peers with the exchange's route servers"))
    bfd_support = models.BooleanField()
    operational = models.BooleanField()
    net_side_id = models.BigIntegerField(null=True)
    ix_side_id = models.BigIntegerField(null=True)
    net = joined("PeeringDBNet", by="net_id")
    ix = joined("PeeringDBIX", by="ix_id")
    ixlan = joined("PeeringDBIXLan", by="ixlan_id")

    class Meta:
        verbose_name = _("PeeringDB port")
        verbose_name_plural = _("PeeringDB ports")

    def __str__(self) -> str:
        return f"AS{self.asn} on ixlan {self.ixlan_id}"


class PeeringDBPoc(Mirrored):
    """A network's point of contact. Kept only while there is an API key; shown with a permission of its own."""

    net_id = models.BigIntegerField(db_index=True)
    role = models.TextField()
    visible = models.TextField()
    name = models.TextField()
    phone = models.TextField()
    email = models.TextField()
    url = models.TextField()

    def __str__(self) -> str:
        return f"{self.role} of net {self.net_id}"


# PeeringDB's tag of each table, parents first.
MIRROR: dict[str, type[Mirrored]] = {
    "org": PeeringDBOrg,
    "campus": PeeringDBCampus,
    "fac": PeeringDBFac,
    "carrier": PeeringDBCarrier,
    "carrierfac": PeeringDBCarrierFac,
    "net": PeeringDBNet,
    "ix": PeeringDBIX,
    "ixfac": PeeringDBIXFac,
    "ixlan": PeeringDBIXLan,
    "ixpfx": PeeringDBIXPfx,
    "netfac": PeeringDBNetFac,
    "netixlan": PeeringDBNetIXLan,
    "poc": PeeringDBPoc,
}


class PeeringDBSync(models.Model):
    """
    One sync with PeeringDB: who asked for it, how it went, what it changed.

    Whoever may view syncs may open the PeeringDB page. `counts` maps a tag to {"created", "updated", "unchanged",
    "deleted", "refused"}, `applied` what followed in NetBox, by model and the same words.
    """

    started = models.DateTimeField(verbose_name=_("started"), auto_now_add=True)
    ended = models.DateTimeField(verbose_name=_("ended"), blank=True, null=True)
    status = models.CharField(
        verbose_name=_("status"),
        max_length=30,
        choices=PeeringDBSyncStatusChoices,
        default=PeeringDBSyncStatusChoices.RUNNING,
    )
    mode = models.CharField(verbose_name=_("mode"), max_length=30, choices=PeeringDBSyncModeChoices)
    tags = ArrayField(
        verbose_name=_("types"),
        base_field=models.CharField(max_length=20),
        default=list,
        blank=True,
        help_text=_("PeeringDB's types that were synced; all when empty"),
    )
    user = models.ForeignKey(
        verbose_name=_("user"),
        to=settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        blank=True,
        null=True,
    )
    holder = models.CharField(
        verbose_name=_("held by"),
        max_length=200,
        blank=True,
        help_text=_("The process that ran it, for whoever finds it running"),
    )
    counts = models.JSONField(verbose_name=_("counts"), default=dict)
    applied = models.JSONField(verbose_name=_("applied"), default=dict)
    message = models.TextField(verbose_name=_("message"), blank=True)

    objects = RestrictedQuerySet.as_manager()

    class Meta:
        ordering = ("-started", "-pk")
        verbose_name = _("PeeringDB sync")
        verbose_name_plural = _("PeeringDB syncs")
        permissions = (
            ("sync", _("Sync with PeeringDB")),
            ("view_contacts", _("See the contacts of networks in PeeringDB")),
        )

    def __str__(self) -> str:
        return f"{self.get_mode_display()} {self.started:%Y-%m-%d %H:%M:%S}"

    def get_absolute_url(self) -> str:
        return reverse("plugins:netbox_peering_manager:peeringdbsync", args=[self.pk])

    def get_status_color(self) -> str | None:
        return PeeringDBSyncStatusChoices.colors.get(self.status)

    def get_mode_color(self) -> str | None:
        return PeeringDBSyncModeChoices.colors.get(self.mode)


class PeeringDBWatermark(models.Model):
    """How far one type of the mirror is: written in the transaction that brings the rows in."""

    _netbox_private = True

    tag = models.CharField(max_length=20, primary_key=True)
    updated = models.BigIntegerField(help_text=_("Latest `updated` that was seen, in seconds since 1970"))
    synced = models.DateTimeField()
    compared = models.DateTimeField(null=True, help_text=_("Last comparison with the full list"))
    source = models.TextField(default="", help_text=_("URL of the PeeringDB that the rows came from"))

    def __str__(self) -> str:
        return self.tag


class PeeringDBRefusedRow(models.Model):
    """A row that PeeringDB sent and that does not fit, with the reason; gone once it comes again and fits."""

    _netbox_private = True

    tag = models.CharField(max_length=20)
    peeringdb_id = models.BigIntegerField(null=True)
    reason = models.TextField()
    row = models.JSONField()
    seen = models.DateTimeField()

    class Meta:
        ordering = ("tag", "peeringdb_id", "pk")
        verbose_name = _("refused row")
        verbose_name_plural = _("refused rows")

    def __str__(self) -> str:
        return f"{self.tag} {self.peeringdb_id}"


class PeeringDBDrift(models.Model):
    """
    Something of ours that disagrees with PeeringDB. Seen by whoever may view the object that it is about.

    `key` tells several of one kind apart on one object (a family, a netixlan's id); `details` holds plain values
    for its text and its repair.
    """

    _netbox_private = True

    kind = models.CharField(max_length=50, choices=PeeringDBDriftChoices)
    object_type = models.ForeignKey(to="contenttypes.ContentType", on_delete=models.CASCADE, related_name="+")
    object_id = models.PositiveBigIntegerField()
    object = GenericForeignKey("object_type", "object_id")
    key = models.CharField(max_length=100, blank=True)
    details = models.JSONField(default=dict)
    found = models.DateTimeField(auto_now_add=True)

    objects = PeeringDBDriftQuerySet.as_manager()

    class Meta:
        ordering = ("kind", "object_type", "object_id", "key")
        verbose_name = _("drift")
        verbose_name_plural = _("drift")
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "object_type", "object_id", "key"),
                name="%(app_label)s_%(class)s_unique_kind_object_key",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.object_type_id}/{self.object_id}"

    def get_kind_color(self) -> str | None:
        return PeeringDBDriftChoices.colors.get(self.kind)
