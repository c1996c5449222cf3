"""Whether sessions are on their routers: what deployments, comparisons and edits say."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from netbox_peering_manager.models import (
    Deployment,
    DeploymentSession,
    DeploymentStep,
    PeeringRouter,
    PeeringSession,
    RouterState,
    SessionConfiguration,
)
from netbox_peering_manager.services.deployment import configured
from netbox_peering_manager.services.deployment.mentions import mentioned
from netbox_peering_manager.services.deployment.naming import unnamed_in
from tests.factories import make_bgp_peer, make_device, make_scope, make_session
from tests.queries import queries_for_few_and_many

pytestmark = pytest.mark.django_db

_hosts = count(10)


@pytest.fixture
def router():
    return PeeringRouter.objects.create(device=make_device())


def session_on(router, host=None) -> PeeringSession:
    remote = f"198.51.100.{host or next(_hosts)}/24"
    return make_session(make_bgp_peer(remote, scope=make_scope(router.device), families=("ipv4-unicast",)))


def deployment_of(router, *sessions, status="done", wanted=True, **fields) -> Deployment:
    """A deployment of these sessions, of everything without any; one that ended was sent a moment ago."""
    now = timezone.now()
    if status in ("done", "failed", "rolled-back", "cancelled", "expired"):
        fields = {"sent": now, "ended": now, **fields}
    made = Deployment.objects.create(
        router=router, partial=bool(sessions), mode="merge", status=status, automatic=wanted, **fields
    )
    for session in sessions:
        host = str(session.bgp_peer.peer.address).partition("/")[0]
        DeploymentSession.objects.create(deployment=made, session=session, remote_ip=host)
    configured.note(made)
    return made


def status_of(session) -> str:
    return (
        SessionConfiguration.objects.filter(session=session).values_list("status", flat=True).first()
        or "none"
    )


def compared(router, drift, diff="", at=None, unnamed=()):
    said = {"drift": drift, "compared": at or timezone.now(), "masked_diff": diff, "unnamed": [*unnamed]}
    state, _ = RouterState.objects.update_or_create(router=router, defaults=said)
    configured.refresh(PeeringSession.objects.for_device(router.device_id).values_list("pk", flat=True))
    return state


class TestDeployments:
    def test_a_session_that_nobody_has_deployed_is_not_configured(self, router):
        assert status_of(session_on(router)) == "none"

    @pytest.mark.parametrize("status", ["awaiting-approval", "approved", "scheduled", "committing"])
    def test_one_that_waits_makes_its_sessions_scheduled_and_no_others(self, router, status):
        session, other = session_on(router), session_on(router)
        deployment_of(router, session, status=status)
        assert (status_of(session), status_of(other)) == ("scheduled", "none")

    def test_a_full_one_that_is_done_configures_everything_on_the_router(self, router):
        sessions = session_on(router), session_on(router)
        elsewhere = session_on(PeeringRouter.objects.create(device=make_device("rt2.mtl")))
        done = deployment_of(router)
        assert {status_of(session) for session in sessions} == {"configured"}
        assert status_of(elsewhere) == "none"
        assert SessionConfiguration.objects.get(session=sessions[0]).deployment == done

    @pytest.mark.parametrize("status", ["failed", "rolled-back"])
    def test_a_failure_is_told_with_its_reason(self, router, status):
        session = session_on(router)
        deployment_of(router, session, status=status, reason="no route to host")
        row = SessionConfiguration.objects.get(session=session)
        assert (row.status, row.reason) == ("failed", "no route to host")

    def test_a_comparison_that_failed_says_nothing_about_the_sessions(self, router):
        session = session_on(router)
        deployment_of(router, session)
        deployment_of(router, session, status="failed", wanted=False, sent=None)
        assert status_of(session) == "configured"

    def test_a_deployment_that_was_approved_and_failed_says_so_without_being_automatic(self, router):
        session = session_on(router)
        failed = deployment_of(router, session, status="failed", wanted=False)
        DeploymentStep.objects.create(deployment=failed, status="committing")
        configured.note(failed)
        assert status_of(session) == "failed"

    @pytest.mark.parametrize("ends", ["cancelled", "expired"])
    @pytest.mark.parametrize(
        ("before", "after"), [(None, "none"), ("done", "configured"), ("failed", "failed")]
    )
    def test_one_that_is_given_up_leaves_the_session_as_it_was(self, router, before, after, ends):
        session = session_on(router)
        if before:
            deployment_of(router, session, status=before)
        waiting = deployment_of(router, session, status="scheduled")
        assert status_of(session) == "scheduled"
        waiting.status, waiting.ended = ends, timezone.now()
        waiting.save()
        configured.note(waiting)
        assert status_of(session) == after

    def test_one_of_two_that_wait_is_cancelled_and_the_session_still_waits(self, router):
        session = session_on(router)
        deployment_of(router, status="scheduled")
        deployment_of(router, session, status="cancelled")
        assert status_of(session) == "scheduled"

    def test_a_full_deployment_older_than_the_session_says_nothing_of_it(self, router):
        deployment_of(router)
        session = session_on(router)
        deployment_of(router, session, status="cancelled")
        assert status_of(session) == "none"

    def test_what_another_router_was_sent_says_nothing(self, router):
        session = session_on(router)
        other = PeeringRouter.objects.create(device=make_device("rt2.mtl"))
        deployment_of(other, session)
        assert status_of(session) == "none"

    @pytest.mark.parametrize("full", [True, False])
    def test_one_whose_text_leaves_the_session_out_does_not_configure_it(self, router, full):
        session, other = session_on(router, 201), session_on(router, 202)
        of = () if full else (session, other)
        done = deployment_of(router, *of, masked_text="neighbor 198.51.100.202 remote-as 64496\n")
        assert (status_of(session), status_of(other)) == ("not-configured", "configured")
        row = SessionConfiguration.objects.get(session=session)
        assert "leaves it out" in row.reason
        assert row.deployment == done

    def test_what_a_text_left_out_stays_known_when_the_text_is_deleted(self, router):
        session, other = session_on(router, 201), session_on(router, 202)
        deployment_of(router, masked_text="neighbor 198.51.100.202 remote-as 64496\n")
        Deployment.objects.update(masked_text="", sessions_after=None)
        configured.refresh([session.pk, other.pk])
        assert (status_of(session), status_of(other)) == ("not-configured", "configured")

    def test_one_after_which_the_router_has_the_neighbour_configures_it(self, router):
        session = session_on(router, 201)
        after = [{"remote_ip": "198.51.100.201"}]
        deployment_of(router, session, masked_text="import peers from elsewhere", sessions_after=after)
        assert status_of(session) == "configured"

    def test_one_time_commands_and_removals_say_nothing(self, router):
        session = session_on(router)
        for kind in ("commands", "remove"):
            deployment_of(router, session, kind=kind)
        assert status_of(session) == "none"

    @pytest.mark.parametrize("status", ["failed", "rolled-back"])
    @pytest.mark.parametrize(
        ("reason", "told"),
        [
            ("rt1.mtl does not answer", True),
            ("Lost: 198.51.100.201 (idle)", True),
            ("Lost: 198.51.100.201 (idle), 198.51.100.202 (missing)", False),
            ("Lost: 2001:db8::1 (idle)", False),
            ("NetBox was changed. What changed:\n+ description of somebody else", False),
        ],
    )
    def test_why_it_failed_names_no_neighbour_but_its_own(self, router, status, reason, told):
        session = session_on(router, 201)
        deployment_of(router, session, status=status, reason=reason)
        row = SessionConfiguration.objects.get(session=session)
        assert row.status == "failed"
        assert row.reason == (reason if told else "It failed or was rolled back: its deployment says why.")


class TestEdits:
    @pytest.fixture
    def session(self, router):
        session = session_on(router)
        deployment_of(router)
        assert status_of(session) == "configured"
        return session

    def test_an_edited_session_differs(self, session):
        session.service_reference = "T-1"
        session.save()
        assert status_of(session) == "differs"

    def test_an_edited_bgp_peer_makes_its_session_differ_and_no_other(self, router, session):
        other = session_on(router)
        deployment_of(router)
        session.bgp_peer.enabled = False
        session.bgp_peer.save()
        assert (status_of(session), status_of(other)) == ("differs", "configured")

    def test_an_edited_and_a_deleted_address_family_make_the_session_differ(self, router, session):
        session.bgp_peer.address_families.get().save()
        assert status_of(session) == "differs"
        deployment_of(router)
        assert status_of(session) == "configured"
        session.bgp_peer.address_families.get().delete()
        assert status_of(session) == "differs"

    def test_one_that_was_edited_before_a_cancelled_deployment_differs_after_it(self, router, session):
        session.save()
        deployment_of(router, session, status="cancelled")
        assert status_of(session) == "differs"

    def test_one_edited_while_it_was_sent_differs(self, router, session):
        sent = timezone.now()
        session.save()
        deployment_of(router, session, sent=sent)
        assert status_of(session) == "differs"

    def test_a_failed_session_stays_failed_when_it_is_edited(self, router, session):
        deployment_of(router, session, status="failed")
        session.save()
        assert status_of(session) == "failed"


class TestComparisons:
    def test_a_router_without_a_difference_has_all_its_sessions(self, router):
        session = session_on(router)
        compared(router, "same")
        assert status_of(session) == "configured"

    @pytest.mark.parametrize("drift", ["same", "differs"])
    def test_one_that_was_compared_without_a_session_does_not_configure_it(self, router, drift):
        session, other = session_on(router, 7), session_on(router, 77)
        deployment_of(router)
        compared(router, drift, "+ router-id 192.0.2.1", unnamed=["198.51.100.7"])
        assert (status_of(session), status_of(other)) == ("not-configured", "configured")
        assert "leaves it out" in SessionConfiguration.objects.get(session=session).reason

    def test_a_session_that_would_be_taken_off_the_router_differs(self, router):
        session = session_on(router, 7)
        compared(router, "differs", "- neighbor 198.51.100.7 remote-as 64496", unnamed=["198.51.100.7"])
        assert status_of(session) == "differs"

    def test_which_neighbours_a_text_leaves_out(self):
        text = "neighbor 2001:db8::1 remote-as 64496\nneighbor 198.51.100.7 remote-as 64497"
        addresses = ["2001:DB8:0::1", "198.51.100.7", "198.51.100.70", "2001:db8::11"]
        assert unnamed_in(text, addresses) == ["198.51.100.70", "2001:db8::11"]

    def test_only_sessions_that_the_difference_names_differ(self, router):
        named, other = session_on(router, 7), session_on(router, 77)
        deployment_of(router)
        compared(router, "differs", "- neighbor 198.51.100.7 description x")
        assert (status_of(named), status_of(other)) == ("differs", "configured")

    def test_a_comparison_older_than_the_last_deployment_says_nothing(self, router):
        session = session_on(router, 7)
        compared(router, "differs", "-198.51.100.7", at=timezone.now() - timedelta(hours=1))
        deployment_of(router)
        assert status_of(session) == "configured"

    def test_a_cancelled_deployment_leaves_what_the_comparison_told(self, router):
        session = session_on(router, 7)
        deployment_of(router)
        compared(router, "differs", "-198.51.100.7")
        deployment_of(router, session, status="cancelled")
        assert status_of(session) == "differs"

    def test_one_that_failed_says_nothing(self, router):
        session = session_on(router, 7)
        deployment_of(router)
        compared(router, "failed")
        assert status_of(session) == "configured"


def test_the_queries_do_not_grow_with_the_sessions(router):
    made = []

    def make(numbers):
        made.extend(session_on(router) for _ in numbers)
        deployment_of(router)
        Deployment.objects.create(router=router, mode="merge", status="cancelled", ended=timezone.now())

    last = []

    def note():
        last[:] = Deployment.objects.filter(status="cancelled")[:1]
        configured.note(last[0])

    # One of them fetches the deployment, two are a savepoint.
    assert queries_for_few_and_many(note, make) <= 13


def test_sessions_cannot_be_deleted_while_what_is_known_of_them_is_written(router):
    """Another connection would wait; here, that the rows are locked against it, and against nothing else."""
    session = session_on(router)
    with CaptureQueriesContext(connection) as captured:
        configured.refresh([session.pk, session.pk + 1000])
    [locking] = [one["sql"] for one in captured if "FOR KEY SHARE" in one["sql"]]
    assert f"{session.pk}" in locking


def test_rows_are_written_in_the_order_of_their_sessions(router):
    """Two moves of one router would wait for each other's otherwise."""
    sessions = [session_on(router).pk for _ in range(3)]
    with CaptureQueriesContext(connection) as captured:
        configured._known(sessions[::-1])
    [asked] = [one["sql"] for one in captured]
    assert asked.startswith('SELECT "netbox_peering_manager_peeringsession"."id"')
    assert asked.endswith("ORDER BY 1 ASC")


class TestMentions:
    """What the platforms' diffs name."""

    @pytest.mark.parametrize(
        ("diff", "found"),
        [
            ("", set()),
            ("+ neighbor 192.0.2.1 remote-as 64496\n  neighbor 192.0.2.2 remote-as 64497", {"192.0.2.1"}),
            ("- neighbor 192.0.2.10 shutdown", {"192.0.2.10"}),
            ("+neighbor 2001:DB8::1 activate", {"2001:db8::1"}),
            (
                "[edit protocols bgp group peers neighbor 192.0.2.9]\n-    description old;\n+    description new;",
                {"192.0.2.9"},
            ),
            ("[edit protocols bgp group peers]\n+     neighbor 192.0.2.9 {", {"192.0.2.9"}),
            (
                "--- a\n+++ b\n@@ -1 +1 @@\n  neighbor 192.0.2.1\n-  ttl 1\n+  ttl 2\n  neighbor 192.0.2.2\n   ttl 3",
                {"192.0.2.1"},
            ),
            ("+ description until 12:30, see 192.0.2.300", set()),
        ],
    )
    def test_neighbors_of_changed_lines(self, diff, found):
        assert mentioned(diff) == found
