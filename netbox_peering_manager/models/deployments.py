"""
Area `deployments`: what is sent to routers, from the rendered text to the confirmed commit, and the proof of it.

What may follow on what stands in choices.DEPLOYMENT_MOVES; services.deployment alone moves a deployment.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from netbox.models import PrimaryModel
from netbox.models.features import JobsMixin

from ..choices import (
    ConfigModeChoices,
    DeploymentKindChoices,
    DeploymentStatusChoices,
    SessionConfigurationChoices,
)
from ..querysets import DeploymentBatchQuerySet, DeploymentQuerySet

__all__ = ("Deployment", "DeploymentBatch", "DeploymentSession", "DeploymentStep", "SessionConfiguration")


class DeploymentBatch(models.Model):
    """Deployments to several routers, asked for at once: one job each, stopped together."""

    _netbox_private = True

    user = models.ForeignKey(
        to=settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", blank=True, null=True
    )
    created = models.DateTimeField(auto_now_add=True)
    # So many failures end it; None: it goes on whatever happens.
    max_failures = models.PositiveSmallIntegerField(blank=True, null=True)
    stopped = models.DateTimeField(blank=True, null=True)
    stopped_because = models.TextField(blank=True)
    # The routers that it was asked for: [{"router": id, "name": text, "reason": text}]. A reason says why there is no
    # deployment of one; services.deployment.fleet alone writes it.
    asked = models.JSONField(blank=True, default=list)

    objects = DeploymentBatchQuerySet.as_manager()

    class Meta:
        ordering = ("-created",)
        verbose_name = _("deployment batch")
        verbose_name_plural = _("deployment batches")

    def __str__(self) -> str:
        return str(_("Batch {pk}").format(pk=self.pk))

    def get_absolute_url(self) -> str:
        return reverse("plugins:netbox_peering_manager:deploymentbatch", args=[self.pk])

    @property
    def refused_count(self) -> int:
        """How many routers were refused, so that they have no deployment."""
        return sum(1 for one in self.asked if one["reason"])


class Deployment(JobsMixin, PrimaryModel):
    """
    One change of one router: rendered, compared, approved where the router asks for it, committed, confirmed.

    What would be sent is kept encrypted while it may still be sent. Everything that is shown is masked; what has to
    be recognised again is kept as an HMAC, because a plain digest of a short secret can be guessed.
    """

    router = models.ForeignKey(
        verbose_name=_("router"),
        to="netbox_peering_manager.PeeringRouter",
        on_delete=models.CASCADE,
        related_name="deployments",
    )
    kind = models.CharField(
        verbose_name=_("kind"),
        max_length=20,
        choices=DeploymentKindChoices,
        default=DeploymentKindChoices.CONFIGURE,
    )
    # Whether it concerns the sessions named in `targets` alone, or everything on the router.
    partial = models.BooleanField(verbose_name=_("partial"), default=False)
    mode = models.CharField(verbose_name=_("mode"), max_length=10, choices=ConfigModeChoices)
    status = models.CharField(
        verbose_name=_("status"),
        max_length=20,
        choices=DeploymentStatusChoices,
        default=DeploymentStatusChoices.RENDERED,
        editable=False,
    )
    reason = models.TextField(verbose_name=_("reason"), blank=True, editable=False)
    # To be committed as soon as it may be, without another click.
    automatic = models.BooleanField(verbose_name=_("automatic"), default=False)
    scheduled = models.DateTimeField(verbose_name=_("scheduled for"), blank=True, null=True)
    expires = models.DateTimeField(verbose_name=_("expires"), blank=True, null=True, editable=False)

    # services.deployment.sealed alone reads and writes it; "" once the deployment has ended.
    encrypted_text = models.TextField(blank=True, default="", editable=False)
    masked_text = models.TextField(verbose_name=_("text"), blank=True, default="", editable=False)
    text_digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    masked_diff = models.TextField(verbose_name=_("changes"), blank=True, default="", editable=False)
    diff_digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    # services.deployment.health says how they look.
    sessions_before = models.JSONField(blank=True, null=True, editable=False)
    sessions_after = models.JSONField(blank=True, null=True, editable=False)

    requested_by = models.ForeignKey(
        verbose_name=_("requested by"),
        to=settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        blank=True,
        null=True,
        editable=False,
    )
    approved_by = models.ForeignKey(
        verbose_name=_("approved by"),
        to=settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        blank=True,
        null=True,
        editable=False,
    )
    approved = models.DateTimeField(verbose_name=_("approved"), blank=True, null=True, editable=False)
    # Who said that it is to be committed: at once, by itself, or at its time. Whoever that is must still be allowed to
    # when it is.
    released_by = models.ForeignKey(
        verbose_name=_("released by"),
        to=settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        blank=True,
        null=True,
        editable=False,
    )
    # With credentials that its author typed, which the job finds in Redis.
    own_credentials = models.BooleanField(verbose_name=_("own credentials"), default=False, editable=False)
    # The router goes back by itself unless the commit is confirmed by then.
    confirm_by = models.DateTimeField(verbose_name=_("confirm by"), blank=True, null=True, editable=False)
    sent = models.DateTimeField(verbose_name=_("sent"), blank=True, null=True, editable=False)
    ended = models.DateTimeField(verbose_name=_("ended"), blank=True, null=True, editable=False)
    batch = models.ForeignKey(
        to=DeploymentBatch,
        on_delete=models.SET_NULL,
        related_name="deployments",
        blank=True,
        null=True,
        editable=False,
    )

    objects = DeploymentQuerySet.as_manager()

    prerequisite_models = ("netbox_peering_manager.PeeringRouter",)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("deployment")
        verbose_name_plural = _("deployments")
        permissions = (
            ("approve", _("Approve deployments")),
            ("commit", _("Commit deployments")),
            ("run_commands", _("Send one-time commands")),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("router",),
                condition=Q(status__in=("committing", "confirming")),
                name="%(app_label)s_%(class)s_one_per_router",
                violation_error_message=_("Another deployment is being sent to this router."),
            ),
        )
        indexes = (models.Index(fields=("status", "scheduled")),)

    def __str__(self) -> str:
        return str(
            _("{kind} {pk} on {router}").format(kind=self.get_kind_display(), pk=self.pk, router=self.router)
        )

    def get_status_color(self) -> str | None:
        return DeploymentStatusChoices.colors.get(self.status)

    def get_kind_color(self) -> str | None:
        return DeploymentKindChoices.colors.get(self.kind)

    @property
    def has_ended(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in DeploymentStatusChoices.ENDED

    def serialize_object(self, exclude: Any = None) -> dict[str, Any]:
        # Change records and events hold nothing of what is sent, not even encrypted or masked.
        hidden = ("encrypted_text", "masked_text", "masked_diff", "text_digest", "diff_digest")
        return super().serialize_object(exclude=[*(exclude or []), *hidden])


class DeploymentSession(models.Model):
    """A session that a partial deployment is about. Its neighbour stays known when the session is gone."""

    _netbox_private = True

    deployment = models.ForeignKey(to=Deployment, on_delete=models.CASCADE, related_name="targets")
    session = models.ForeignKey(
        to="netbox_peering_manager.PeeringSession",
        on_delete=models.SET_NULL,
        related_name="deployment_targets",
        blank=True,
        null=True,
    )
    vrf = models.CharField(max_length=100, blank=True)
    remote_ip = models.GenericIPAddressField()
    # Of a link-local address alone.
    local_interface = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=255, blank=True)
    # Whether it was enabled before it was switched on or off for this deployment; None: it was not switched.
    was_enabled = models.BooleanField(blank=True, null=True)

    class Meta:
        ordering = ("deployment", "vrf", "remote_ip", "local_interface")
        constraints = (
            models.UniqueConstraint(
                fields=("deployment", "vrf", "remote_ip", "local_interface"),
                name="%(app_label)s_%(class)s_unique_neighbor",
            ),
        )

    def __str__(self) -> str:
        return f"{self.deployment}: {self.remote_ip}"


class DeploymentStep(models.Model):
    """One move of a deployment: who made it, when and why. `user` None: the plugin itself."""

    _netbox_private = True

    deployment = models.ForeignKey(to=Deployment, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(
        to=settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", blank=True, null=True
    )
    # Stays when the user is gone.
    user_name = models.CharField(max_length=150, blank=True)
    # "" of the first step; the same as `status` for something that happened without a move.
    former_status = models.CharField(max_length=20, choices=DeploymentStatusChoices, blank=True)
    status = models.CharField(max_length=20, choices=DeploymentStatusChoices)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ("deployment", "pk")

    def __str__(self) -> str:
        return f"{self.deployment}: {self.get_status_display()}"

    def get_status_color(self) -> str | None:
        return DeploymentStatusChoices.colors.get(self.status)


class SessionConfiguration(models.Model):
    """Whether a session is on its router, as far as deployments and drift know. No row: not configured."""

    _netbox_private = True

    session = models.OneToOneField(
        to="netbox_peering_manager.PeeringSession", on_delete=models.CASCADE, related_name="configuration"
    )
    status = models.CharField(max_length=20, choices=SessionConfigurationChoices)
    # The deployment that it comes from, None when drift told it.
    deployment = models.ForeignKey(
        to=Deployment, on_delete=models.SET_NULL, related_name="+", blank=True, null=True
    )
    reason = models.TextField(blank=True)
    as_of = models.DateTimeField()

    class Meta:
        ordering = ("session",)

    def __str__(self) -> str:
        return f"{self.session}: {self.get_status_display()}"

    def get_status_color(self) -> str | None:
        return SessionConfigurationChoices.colors.get(self.status)
