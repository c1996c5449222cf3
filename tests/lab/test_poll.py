"""Polls of a real router: what FRR tells of real sessions, and what is kept when they, or the router, are gone."""

import copy
import os
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from extras.models import EventRule
from netbox.context import events_queue
from netbox.context_managers import event_tracking

from dev.lab import access, ending, looking
from dev.lab.lab import running
from dev.lab.plan import SESSION_PASSWORD
from dev.lab.texts import configuration
from netbox_peering_manager.choices import BGPStateChoices
from netbox_peering_manager.exceptions import DeviceError
from netbox_peering_manager.jobs.monitoring import PollJob
from netbox_peering_manager.models import RouterState, SessionState, UnknownNeighbor
from netbox_peering_manager.services.devices.neighbors import ADMIN_DOWN
from netbox_peering_manager.services.monitoring import events
from netbox_peering_manager.services.monitoring.poll import poll
from netbox_peering_manager.services.tracking import request_of
from tests.shared import leave

from . import deploying
from .deploying import EDGE, eventually

pytestmark = [pytest.mark.lab, pytest.mark.django_db]
FRR_MEMBER, BIRD_MEMBER, TO_BE_KILLED = MEMBERS = (64496, 64497, 64502)
STRANGER = 64498


@pytest.fixture(scope="module")
def lab():
    """One of this module's own, because a member dies in it."""
    name = f"poll-{os.getpid()}"
    ending.stop(name)
    with running(name) as started:
        yield started


@pytest.fixture(scope="module", autouse=True)
def made(lab, django_db_setup, django_db_blocker):
    """The router in NetBox, and its sessions on the router, which were not put there by us."""
    from django.db import transaction

    block = transaction.atomic()
    with django_db_blocker.unblock():
        block.__enter__()
        built = deploying.build(lab, members=MEMBERS, poll_enabled=True)
    deploying.replace(lab, router_text(lab))
    assert eventually(lambda: built.established() >= built.addresses(*MEMBERS)), lab.state()
    yield built
    with django_db_blocker.unblock():
        leave(block)


def router_text(lab, *, without=(), also=()):
    """The router's configuration with a session with each member in each family."""
    node = lab.nodes[EDGE]
    lines = [f"router bgp {node.asn}", " no bgp ebgp-requires-policy", " no bgp default ipv4-unicast"]
    families = {4: [], 6: []}
    for asn in (*(asn for asn in MEMBERS if asn not in without), *also):
        member = lab.nodes[f"as{asn}"]
        for family, address in zip((4, 6), member.addresses, strict=True):
            lines += [
                f" neighbor {address} remote-as {asn}",
                f" neighbor {address} description as{asn}",
                f" neighbor {address} timers connect 1",
                *([f" neighbor {address} password {SESSION_PASSWORD}"] if member.password else []),
            ]
            families[family].append(f"  neighbor {address} activate")
    for family, activated in families.items():
        lines += [f" address-family ipv{family} unicast", *activated, " exit-address-family"]
    return configuration(node, list(lab.nodes.values())) + "\n".join([*lines, "exit", ""])


@pytest.fixture
def world(lab, made, settings, db):
    deploying.reach(lab, settings)
    return deploying.World(lab, copy.deepcopy(made.router), made.user)


def state(session):
    return SessionState.objects.get(session=session)


def up(world):
    """Wait until all sessions are up, and poll."""
    assert eventually(lambda: world.established() >= world.addresses(FRR_MEMBER, BIRD_MEMBER)), (
        world.lab.state()
    )
    # BGP is up before its first prefixes are there.
    return eventually(lambda: with_prefixes(world))


def with_prefixes(world):
    """A poll that has found prefixes from every session, else None."""
    found = poll(world.router)
    states = SessionState.objects.filter(bgp_state="established")
    received = states.values_list("ipv4_received", "ipv6_received")
    return found if all(ipv4 or ipv6 for ipv4, ipv6 in received) else None


def test_states_counters_and_uptime_of_real_sessions(world):
    found = up(world)
    assert found.sessions == 2 * len(MEMBERS)
    assert found.unknown == 0
    for asn in (FRR_MEMBER, BIRD_MEMBER):
        for family in (4, 6):
            now = state(world.session(asn, family))
            assert (now.bgp_state, now.reason, now.stale_since) == ("established", "", None)
            counts = [getattr(now, f"ipv{family}_{what}") for what in ("received", "accepted", "advertised")]
            assert all(count is not None for count in counts)
            assert counts[0] > 0
            # The other family is not carried.
            assert getattr(now, f"ipv{10 - family}_received") is None
            told = record(world, asn, family)
            assert counts[0] == told["addressFamilyInfo"][f"ipv{family}Unicast"]["acceptedPrefixCounter"]
            epoch = told["bgpTimerUpEstablishedEpoch"]
            assert abs(now.up_since.timestamp() - epoch) < 10
            assert now.last_established == found.polled
            assert timezone.now() - found.polled < timedelta(minutes=1)


def record(world, asn, family):
    """FRR's own record of a session."""
    return looking.neighbors(world.folder)[world.address(asn, family)]


def test_a_second_poll_finds_nothing_new(world):
    up(world)
    before = {each.session_id: (each.since, each.up_since, each.flaps) for each in SessionState.objects.all()}
    found = poll(world.router)
    after = {each.session_id: (each.since, each.up_since, each.flaps) for each in SessionState.objects.all()}
    assert found.changed == found.events == 0
    assert after == before


def test_a_session_that_is_reset_between_two_polls_is_a_flap(world):
    up(world)
    session = world.session(FRR_MEMBER)
    # As if it had been up for long at the last poll.
    SessionState.objects.update(
        up_since=timezone.now() - timedelta(hours=1), polled=timezone.now() - timedelta(minutes=5)
    )
    SessionState.objects.exclude(session=session).delete()
    looking.frr(world.folder, f"clear bgp ipv4 {world.address(FRR_MEMBER)}")
    assert eventually(
        lambda: (
            world.address(FRR_MEMBER) in world.established()
            and record(world, FRR_MEMBER, 4)["bgpTimerUpMsec"] < 60_000
        )
    )
    poll(world.router)
    assert (state(session).bgp_state, state(session).flaps) == ("established", 1)


def test_a_session_that_is_shut_down_on_the_router(world):
    up(world)
    address = world.address(BIRD_MEMBER, 6)
    node = world.node
    try:
        configure(world, node, f"neighbor {address} shutdown")
        assert eventually(lambda: looking.neighbors(world.folder)[address]["bgpState"] != "Established")
        poll(world.router)
        now = state(world.session(BIRD_MEMBER, 6))
        assert (now.bgp_state, now.reason, now.up_since, now.ipv6_received) == (
            "idle",
            ADMIN_DOWN,
            None,
            None,
        )
    finally:
        configure(world, node, f"no neighbor {address} shutdown")


def configure(world, node, line):
    command = ["vtysh", "--vty_socket", "run/frr", "--config_dir", "etc-frr"]
    for each in ("configure terminal", f"router bgp {node.asn}", line):
        command += ["-c", each]
    subprocess.run(command, cwd=world.folder, check=True, capture_output=True, timeout=20)


def test_a_neighbour_that_is_removed_is_missing_and_a_new_one_is_unknown(world):
    up(world)
    try:
        deploying.replace(world.lab, router_text(world.lab, without=(FRR_MEMBER,), also=(STRANGER,)))
        assert eventually(lambda: world.established() >= world.addresses(STRANGER)), world.lab.state()
        found = poll(world.router)
        assert (found.missing, found.unknown) == (2, 2)
        now = state(world.session(FRR_MEMBER))
        assert (now.bgp_state, now.ipv4_received, now.flaps) == ("missing", None, 1)
        strangers = UnknownNeighbor.objects.filter(router=world.router)
        assert {each.remote_ip for each in strangers} == world.addresses(STRANGER)
        assert {(each.remote_asn, each.description, each.bgp_state) for each in strangers} == {
            (STRANGER, f"as{STRANGER}", "established")
        }
    finally:
        deploying.replace(world.lab, router_text(world.lab))
    assert eventually(lambda: world.established() >= world.addresses(FRR_MEMBER)), world.lab.state()
    assert poll(world.router).unknown == 0
    assert state(world.session(FRR_MEMBER)).bgp_state == "established"
    assert not UnknownNeighbor.objects.exists()


def test_a_router_without_sshd_leaves_states_marked_as_old_and_then_they_are_fresh_again(world):
    first = up(world)
    sshd = world.lab.routers[EDGE].pid("sshd")
    zebra = world.lab.routers[EDGE].pid("zebra")
    os.kill(sshd, signal.SIGKILL)
    # While it dies, a connection may be reset in place of refused.
    assert eventually(lambda: not Path(f"/proc/{sshd}").exists())
    try:
        with pytest.raises(DeviceError) as refused:
            poll(world.router)
        job = PollJob.enqueue(instance=world.router, immediate=True)
        job.refresh_from_db()
        assert job.status == "failed"
        assert job.error.startswith(f"{EDGE}: No SSH connection to")
        now, router = state(world.session(FRR_MEMBER)), RouterState.objects.get(router=world.router)
        assert EDGE in now.stale_because
        assert now.stale_because == router.failure == job.error
        assert str(refused.value).startswith(f"{EDGE}: No SSH connection to")
        assert now.stale_since == router.failing_since > first.polled
        # What was known is kept; it is not shown as if it were so now.
        assert (now.bgp_state, now.polled, now.get_bgp_state_color()) == ("established", first.polled, "gray")
    finally:
        subprocess.run(
            ["nsenter", "-t", str(zebra), "-m", "-n", "-u", access.SSHD, "-f", "/run/lab/sshd.conf"],
            check=True,
            timeout=20,
        )
    found = eventually(lambda: answered(world))
    assert found
    assert found.events == 0
    now = state(world.session(FRR_MEMBER))
    assert (now.stale_since, now.stale_because, now.polled) == (None, "", found.polled)
    assert RouterState.objects.get(router=world.router).failing_since is None


def answered(world):
    try:
        return poll(world.router)
    except DeviceError:
        return None


def test_a_member_that_dies_is_a_session_down(world, monkeypatch):
    assert eventually(lambda: world.established() >= world.addresses(TO_BE_KILLED)), world.lab.state()
    poll(world.router)
    session = world.session(TO_BE_KILLED)
    assert state(session).bgp_state == "established"
    EventRule.objects.all().delete()
    monkeypatch.setattr(events, "_is_heard", lambda: True)

    folder = Path(world.lab.folder, f"as{TO_BE_KILLED}", "run", "lab")
    os.kill(int((folder / "bgpd.pid").read_text()), signal.SIGKILL)
    # Its own daemon can be asked no more.
    assert eventually(
        lambda: all(record(world, TO_BE_KILLED, each)["bgpState"] != "Established" for each in (4, 6))
    )
    with event_tracking(request_of(None)):
        found = poll(world.router)
        told = {(event["event_type"], event["object_id"]) for event in events_queue.get().values()}
    both = {world.session(TO_BE_KILLED, family).pk for family in (4, 6)}
    assert told == {("session_down", pk) for pk in both}
    assert (found.changed, found.events) == (2, 2)
    now = state(session)
    assert now.bgp_state in (BGPStateChoices.IDLE, BGPStateChoices.CONNECT, BGPStateChoices.ACTIVE)
    assert (now.flaps, now.up_since) == (1, None)
    assert now.reason
    change = session.state_changes.latest("at")
    assert (change.former_state, change.bgp_state) == ("established", now.bgp_state)
