"""Deployments as the faces show them, made as they are kept, without anything being rendered or sent."""

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.models import Deployment, DeploymentSession, DeploymentStep, PeeringSession
from tests import factories

from .scenery import make_router

DIFF = """\
@@ router bgp 64500
 neighbor 198.51.100.42 remote-as 64496
+neighbor 198.51.100.42 password ********
-neighbor 198.51.100.42 shutdown
"""


def keep_deployment(router=None, sessions=(), status=Status.DONE, **fields):
    """A deployment that stands where it is said to, with a step and its sessions."""
    deployment = Deployment.objects.create(
        router=router or make_router(),
        status=status,
        partial=bool(sessions),
        **{"mode": "merge", "masked_diff": DIFF, "masked_text": "neighbor 198.51.100.42\n"} | fields,
    )
    for session in sessions:
        DeploymentSession.objects.create(
            deployment=deployment,
            session=session,
            remote_ip=str(session.bgp_peer.peer.address).split("/")[0],
            name=str(session)[:255],
        )
    DeploymentStep.objects.create(
        deployment=deployment, status=status, user=deployment.requested_by, user_name="someone", reason="Why"
    )
    return deployment


@factories.look_ups_kept()
def keep_many(numbers, status=Status.DONE):
    """So many deployments, each of a router and session of its own."""
    from users.models import User

    for number in numbers:
        router = make_router(f"rt{number}.mtl")
        peer = factories.make_bgp_peer(f"198.51.{number}.42/24", scope=factories.make_scope(router.device))
        user = User.objects.create_user(f"user{number}")
        session: PeeringSession = factories.make_session(peer)
        keep_deployment(router, [session], status, requested_by=user, approved_by=user, released_by=user)
