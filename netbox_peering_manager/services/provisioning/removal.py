"""
Taking sessions away: what goes with a session, and what its router still has to forget.

A session whose relationship says so leaves a RemovedSession behind when it is deleted, however it is deleted
(page, bulk, REST, shell), so that the next configuration takes it off its router.
"""

from typing import TYPE_CHECKING

import netaddr
from django.db import transaction
from django.db.models.signals import pre_delete

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import AnonymousUser

    from dcim.models import Device
    from users.models import User

    from ...models import PeeringSession


def connect() -> None:
    """Remember removed sessions from now on. Called once, when the plugin is ready."""
    from ...models import PeeringSession

    pre_delete.connect(
        _remember, sender=PeeringSession, dispatch_uid="netbox_peering_manager.remember_removed"
    )


@transaction.atomic
def delete_session(session: "PeeringSession", *, with_bgp_peer: bool) -> None:
    """
    Delete a session and, when asked, the BGPPeer that it wraps with its address families and settings; all or
    nothing.

    ProtectedError or RestrictedError when something else still needs the BGPPeer. IP addresses and AS numbers
    stay. The session's changelog message, if it was given one, stands on both.
    """
    peer = session.bgp_peer
    session.snapshot()
    session.delete()
    if with_bgp_peer:
        peer.snapshot()
        peer._changelog_message = getattr(session, "_changelog_message", None)
        peer.delete()


def bgp_peers_to_delete(user: "User | AnonymousUser", sessions: "Iterable[PeeringSession]") -> "set[int]":
    """Return the ids of those of the sessions' BGPPeers that `user` may delete. One query."""
    # Not imported at the top, which is loaded before a system check can tell that netbox-routing is missing.
    from netbox_routing.models import BGPPeer

    peers = [session.bgp_peer_id for session in sessions]
    allowed = BGPPeer.objects.restrict(user, "delete").filter(pk__in=peers)
    return set(allowed.order_by().values_list("pk", flat=True))


def what_goes_with(session: "PeeringSession") -> list[object]:
    """
    Return what `delete_session(with_bgp_peer=True)` deletes beside the session: the BGPPeer, then what is
    its.
    """
    peer = session.bgp_peer
    return [peer, *peer.address_families.all(), *peer.settings.all()]


def forget_removed(device: "Device") -> int:
    """
    Forget the removed sessions of `device`, because its router no longer has them. Return how many there
    were.
    """
    count, _ = device.removed_peering_sessions.all().delete()
    return count


def _remember(sender: type, instance: "PeeringSession", **kwargs: object) -> None:
    from ...models import RemovedSession

    device = instance.device
    if device is None or not instance.relationship.remove_from_router:
        return
    peer = instance.bgp_peer
    # An instance that was not read back from the database may hold its address as text.
    remote_ip = netaddr.IPNetwork(str(peer.peer.address)).ip
    RemovedSession.objects.update_or_create(
        device=device,
        vrf=peer.scope.vrf.name if peer.scope.vrf else "",
        remote_ip=str(remote_ip),
        local_interface=_local_interface(instance) if remote_ip.is_link_local() else "",
        defaults={
            "local_asn": instance.local_as.asn if instance.local_as else None,
            "peer_asn": instance.remote_as.asn if instance.remote_as else None,
            "peer_group": peer.peer_group.name if peer.peer_group else "",
            "name": peer.name or "",
        },
    )


def _local_interface(session: "PeeringSession") -> str:
    from ...models import PeeringSession

    found = PeeringSession.objects.with_local_interface().order_by()
    return found.values_list("local_interface", flat=True).get(pk=session.pk)
