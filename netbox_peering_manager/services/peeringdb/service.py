"""PeeringDB for scripts and the shell: one network at a time, out of the mirror, else out of PeeringDB itself."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ...choices import PeeringDBFieldChoices
from ...exceptions import PeeringDBUnknown, RefusedRow
from ...models import PeerASN, PeeringDBNet
from ..recording import bulk_update, snapshot_all
from ..tracking import recorded, request_of
from .apply import changes, release_ids
from .client import PeeringDBClient, client_from_settings
from .records import parse

if TYPE_CHECKING:
    from users.models import User

__all__ = ("PeeringDBSyncService",)


class PeeringDBSyncService:
    """
    Fills peer ASNs from PeeringDB when somebody asks for it; syncs do it by themselves (sync.py).

    `client`: another than that of the settings. `user`: whose changes they are, the plugin's own without one.
    """

    def __init__(self, client: PeeringDBClient | None = None, user: "User | None" = None):
        self._client = client
        self._user = user

    def sync_peer_asn(self, peer: PeerASN) -> PeerASN:
        """
        Fill name, AS-SET, prefix limits and PeeringDB id of `peer`, save and return it.

        All of these, whatever the peer follows, as it was asked for; what PeeringDB leaves empty or what does not fit
        stays as it is. PeeringDBUnknown when PeeringDB does not have the AS number, RefusedRow when what it has does
        not fit, else what the client raises; then nothing is changed.
        """
        net = self._find(peer.asn.asn)
        with recorded(request_of(self._user)), transaction.atomic():
            release_ids({peer.pk: net.pk})
            held = PeerASN.objects.select_for_update(of=("self",)).select_related("asn").get(pk=peer.pk)
            values = changes(held, net, PeeringDBFieldChoices.values())
            if values:
                snapshot_all([held])
            values["peeringdb_last_sync"] = timezone.now()
            for name, value in values.items():
                setattr(held, name, value)
                setattr(peer, name, value)
            if values.keys() == {"peeringdb_last_sync"}:
                # That it was looked at is no change.
                PeerASN.objects.filter(pk=peer.pk).update(**values)
            else:
                bulk_update([held], sorted(values))
                peer.last_updated = held.last_updated
        return peer

    def _find(self, asn: int) -> PeeringDBNet:
        """The net with this AS number: the mirror's, or one that is not saved."""
        if net := PeeringDBNet.objects.filter(asn=asn).order_by("-pk").first():
            return net
        if self._client is not None:
            return _ask(self._client, asn)
        with client_from_settings() as client:
            return _ask(client, asn)


def _ask(client: PeeringDBClient, asn: int) -> PeeringDBNet:
    for row in client.fetch("net", asn=asn).rows:
        try:
            record = parse("net", row)
        except RefusedRow as error:
            raise RefusedRow(
                _("PeeringDB's entry of AS{asn} does not fit: {reason}.").format(asn=asn, reason=error)
            ) from error
        net = PeeringDBNet(**record._asdict())
        if net.status == "ok" and net.asn == asn:
            return net
    raise PeeringDBUnknown(_("PeeringDB has no network with AS number {asn}.").format(asn=asn))
