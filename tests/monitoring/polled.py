"""Routers with sessions, and what they would tell of them, without any router."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from netbox_peering_manager.models import PeeringRouter
from netbox_peering_manager.services.devices.neighbors import Neighbor, Prefixes
from tests import factories

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST = "198.51.100.11"


def after(**times):
    return NOON + timedelta(**times)


def make_router(name="rt1.mtl", **fields):
    device = factories.make_device(name)
    return PeeringRouter.objects.create(device=device, **fields)


def make_session(remote=FIRST, device="rt1.mtl", vrf=None, asn=64496, peer=None, **fields):
    """A session on the device, in the VRF's scope."""
    scope = factories.make_scope(factories.make_device(device), vrf)
    length = 64 if ":" in remote else 24
    return factories.make_session(
        factories.make_bgp_peer(f"{remote}/{length}", asn=asn, scope=scope, vrf=vrf, **(peer or {})), **fields
    )


def make_sessions(numbers, device="rt1.mtl"):
    return [make_session(f"198.51.100.{11 + number}", device) for number in numbers]


def up(remote=FIRST, received=10, up_s=3600, **fields):
    counts = Prefixes(received, received, 5)
    family = "ipv6" if ":" in remote else "ipv4"
    return Neighbor(
        fields.pop("vrf", ""),
        remote,
        **{"remote_asn": 64496, "bgp_state": "established", "up_s": up_s, family: counts, **fields},
    )


def down(remote=FIRST, state="idle", **fields):
    return Neighbor(fields.pop("vrf", ""), remote, **{"remote_asn": 64496, "bgp_state": state, **fields})


def states(session):
    """The states that a session went through, as its transitions tell."""
    return [change.bgp_state for change in session.state_changes.order_by("at", "pk")]


@contextmanager
def answering(monkeypatch, *neighbors, error=None):
    """Every router answers so. The router itself is left out: tests/lab/test_poll.py asks real ones."""
    from netbox_peering_manager.services.monitoring import poll

    @contextmanager
    def session_with(router, *args, **kwargs):
        if error:
            raise error
        yield router

    with monkeypatch.context() as patched:
        patched.setattr(poll, "session_with", session_with)
        patched.setattr(poll, "read_neighbors", lambda device: tuple(neighbors))
        yield
