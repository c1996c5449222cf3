"""
The sessions of a real router come into NetBox, once; and what NetBox then renders is what the router has.
"""

import re
from collections import Counter

import pytest

from core.models import Job, ObjectChange
from netbox_routing.models import BGPPeer, RouteMapEntry

from dev import demo_network
from dev.lab.plan import SESSION_PASSWORD
from dev.lab.texts import configuration
from netbox_peering_manager.jobs.takeover import ImportSessionsJob, ReadSessionsJob
from netbox_peering_manager.models import PeeringSession, Relationship
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.devices.session import session_with
from netbox_peering_manager.services.rendering.peering import render_peering
from netbox_peering_manager.services.takeover import kept
from netbox_peering_manager.services.takeover.plan import plan_import
from netbox_peering_manager.services.takeover.planned import Choices, Update

from . import deploying
from .deploying import EDGE, eventually

pytestmark = [pytest.mark.lab, pytest.mark.django_db]
PLAIN, WITH_PASSWORD, SECURED, OFF = 64496, 64498, 64499, 64501


def router_text(lab):
    """A router somebody configured by hand: policies, a peer group, and a session of each kind in both families."""
    node = lab.nodes[EDGE]
    said = {
        PLAIN: ["description Aurora Broadband"],
        WITH_PASSWORD: [f"password {SESSION_PASSWORD}", "description with a password"],
        SECURED: ["ttl-security hops 1", "bfd", "bfd profile fast", "description near and watched"],
        OFF: ["shutdown", "description not yet"],
    }
    lines = [
        *(
            "bfd",
            " profile fast",
            "  detect-multiplier 5",
            "  receive-interval 100",
            "  transmit-interval 100",
        ),
        *(
            " exit",
            "exit",
            "!",
            "route-map ALL permit 10",
            "exit",
            "!",
            "route-map NONE deny 10",
            "exit",
            "!",
        ),
        *(f"router bgp {node.asn}", " no bgp default ipv4-unicast", " neighbor MEMBERS peer-group"),
    ]
    for asn, words in said.items():
        for address in lab.nodes[f"as{asn}"].addresses:
            lines += [f" neighbor {address} remote-as {asn}", f" neighbor {address} peer-group MEMBERS"]
            lines += [f" neighbor {address} {each}" for each in words]
    for family in (4, 6):
        lines += [f" address-family ipv{family} unicast", "  neighbor MEMBERS activate"]
        lines += ["  neighbor MEMBERS route-map NONE out"]
        for asn in said:
            own, other = lab.nodes[f"as{asn}"].addresses[:: 1 if family == 4 else -1]
            lines += [f"  neighbor {own} maximum-prefix 100", f"  neighbor {own} route-map ALL in"]
            lines += [f"  no neighbor {other} activate"]
        lines.append(" exit-address-family")
    return configuration(node, list(lab.nodes.values())) + "\n".join([*lines, "exit", ""])


@pytest.fixture
def world(lab, settings):
    deploying.reach(lab, settings, default_rir="documentation")
    built = deploying.build(lab, members=())
    Relationship.objects.create(name="Plain", slug="plain")
    deploying.replace(lab, router_text(lab))
    # An address of its own is seen of sessions that are up.
    assert eventually(lambda: built.established() >= built.addresses(PLAIN)), lab.state()
    yield built
    deploying.empty(lab)


def read(world):
    job = ReadSessionsJob.enqueue(instance=world.router, user=world.user, immediate=True)
    assert job.status == "completed", job.error
    return job


def choices(**fields):
    return Choices(lan=Relationship.objects.get(slug="plain").pk, **fields)


def plan_of(world, job, **fields):
    return plan_import(world.router, kept.look(str(job.job_id), world.router), choices(**fields), world.user)


def run(world, job, **fields):
    plan = plan_of(world, job, **fields)
    done = ImportSessionsJob.start(
        world.router, job, plan.reviewed(), choices(**fields), world.user, at_once=True
    )
    assert done.status == "completed", done.error
    return done.data["imported"]


def test_what_a_router_has_comes_into_netbox_once(world):
    job = read(world)
    assert job.data["read"]["neighbors"] == 8
    outcome = run(world, job)
    assert len(outcome["made"]) == 8, outcome["left_out"]
    secured = world.session(SECURED)
    peer = secured.bgp_peer
    assert (peer.ttl, peer.bfd.name, peer.bfd.multiplier) == (255, "fast", 5)
    assert (peer.peer_group.name, peer.description) == ("MEMBERS", "near and watched")
    assert (secured.ipv4_max_prefixes, str(secured.peering_network)) == (100, f"{demo_network.EXCHANGE}: LAN")
    assert peer.address_families.get(enabled=True).routemap_in.name == "ALL"
    assert peer.peer_group.address_families.filter(routemap_out__name="NONE").count() == 2
    assert not world.session(OFF).bgp_peer.enabled
    assert {str(entry) for entry in RouteMapEntry.objects.filter(route_map__name__in=("ALL", "NONE"))} == {
        *("ALL permit 10", "NONE deny 10")
    }
    again = run(world, read(world))
    assert (again["made"], again["changed"], again["left_out"]) == ([], [], [])
    plan = plan_of(world, job)
    assert (len(plan.same), plan.different, plan.absent) == (8, (), ())


def test_a_password_comes_encrypted_and_stands_nowhere_else(world):
    run(world, read(world))
    session = world.session(WITH_PASSWORD)
    assert secrets.reveal_password(session) == SESSION_PASSWORD
    told = [
        list(Job.objects.values_list("data", "error", "log_entries")),
        list(ObjectChange.objects.values_list("prechange_data", "postchange_data")),
        list(BGPPeer.objects.values_list("password")),
        list(PeeringSession.objects.values()),
    ]
    assert SESSION_PASSWORD not in repr(told)


def test_what_netbox_renders_then_is_what_the_router_has(world):
    run(world, read(world))
    text = render_peering(
        world.router.config_template, device=world.router.device.pk, reveal_secrets=True
    ).content
    with session_with(world.router) as device:
        device.load(text, replace=False)
        diff = device.compare()
        device.discard()
    changed = sorted({line.strip() for line in diff.splitlines() if line.startswith(("+", "-"))})
    assert SESSION_PASSWORD not in diff
    # Nothing goes, and nothing changes: NetBox says what the router chose by itself (its id, the address that a session
    # is sent from), and of each session what its peer group says for all (that a family is active).
    assert {line[0] for line in changed} == {"+"}
    said = re.compile(r"\+ (bgp router-id \S+|neighbor \S+ (update-source \S+|activate))")
    assert [line for line in changed if not said.fullmatch(line)] == []


def test_policy_that_is_left_to_the_user_stays_on_a_router_that_is_merged_into(world):
    """A route map whose entries do something is not read, so NetBox has no say in it."""
    text = router_text(world.lab)
    text = text.replace("route-map ALL permit 10\n", "route-map ALL permit 10\n set local-preference 150\n")
    deploying.replace(world.lab, text)
    job = read(world)
    plan = plan_of(world, job)
    assert ({each.reason for each in plan.left_out}, plan.new) == ({"no-policy"}, ())
    outcome = run(world, job, without_policies=True)
    assert len(outcome["made"]) == 8, outcome["left_out"]
    before, up = policy_of(world.running()), world.established()
    session = world.session(PLAIN)
    session.description = "Aurora from NetBox"
    session.save()
    deployment = world.ask(sessions=[session.pk])
    assert deployment.status == "done", deployment.reason
    running = world.running()
    assert "description Aurora from NetBox" in running
    assert policy_of(running) == before
    assert any("route-map ALL in" in line for line in before)
    assert world.established() >= up


def policy_of(text):
    """The lines of policies, each with how often it stands there."""
    lines = (line.strip() for line in text.splitlines())
    return Counter(line for line in lines if "route-map" in line or line.startswith("set "))


def test_session_changed_on_the_router_is_taken_over_when_chosen(world):
    run(world, read(world))
    address = world.address(PLAIN)
    text = router_text(world.lab).replace("description Aurora Broadband", "description Aurora moved")
    deploying.replace(world.lab, text)
    job = read(world)
    plan = plan_of(world, job)
    assert {each.neighbor.remote_ip for each in plan.different} == world.addresses(PLAIN)
    chosen = {"update": Update.CHOSEN, "take": (f"|{address}|",)}
    assert [each["changed"] for each in run(world, job, **chosen)["changed"]] == [("description",)]
    assert world.session(PLAIN).description == "Aurora moved"
    assert world.session(PLAIN, 6).description == "Aurora Broadband"


def test_router_that_does_not_let_us_in_is_told_and_nothing_is_made(world, settings):
    deploying.reach(
        world.lab,
        settings,
        credential_profiles={"default": {"username": "root", "key_file": "/etc/hostname"}},
    )
    job = ReadSessionsJob.enqueue(instance=world.router, user=world.user, immediate=True)
    assert job.status == "failed"
    assert EDGE in job.error
    assert not PeeringSession.objects.exists()
