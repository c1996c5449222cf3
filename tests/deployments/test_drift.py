"""Configuration drift: its pages and jobs, for each kind of user. The lab has tests of comparing itself."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from core.exceptions import JobFailed
from core.models import Job

from netbox_peering_manager.filtersets import PeeringRouterFilterSet
from netbox_peering_manager.jobs.drift import CompareRoutersJob, DriftJob
from netbox_peering_manager.models import (
    Deployment,
    PeeringRouter,
    PeeringSession,
    RouterState,
    UnknownNeighbor,
)
from netbox_peering_manager.services.deployment import drift
from tests.deployments.scenery import make_router, make_sessions, make_user
from tests.deployments.test_fleet import break_template, routers_with_a_session
from tests.deployments.test_fleet_pages import client_of, grant, plain
from tests.queries import page, queries_for_few_and_many

pytestmark = pytest.mark.django_db

P = "plugins:netbox_peering_manager"
API = "plugins-api:netbox_peering_manager-api"
LIST = reverse(f"{P}:configuration_drift")


def tab(router):
    return reverse(f"{P}:peeringrouter_drift", args=[router.pk])


def told(router, found="differs", diff="+ neighbor 198.51.100.1 remote-as 64496\n- one\n- two", **fields):
    now = timezone.now()
    return RouterState.objects.create(
        router=router, drift=found, compared=now, drift_since=now, masked_diff=diff, **fields
    )


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def router():
    return routers_with_a_session(1)[0]


class TestComparing:
    def test_a_router_whose_template_fails_is_told_with_the_reason(self, router):
        break_template(router)
        state = drift.compare_router(router)
        assert state.drift == "failed"
        assert "Broken, line 1" in state.drift_failure

    def test_a_router_without_template_or_push_is_told_with_the_way_out(self, router):
        router.config_template = None
        assert "Choose one" in drift.compare_router(router).drift_failure
        router.push_enabled = False
        assert "Switch on push" in drift.compare_router(router).drift_failure

    def test_since_when_it_differs_outlives_a_failure_and_ends_when_it_is_the_same(self, router):
        first = drift._keep(router, timezone.now(), "differs", diff="+ a")
        drift._keep(router, timezone.now(), "failed", failure="no answer")
        again = drift._keep(router, timezone.now(), "differs", diff="+ a")
        assert again.drift_since == first.drift_since
        assert drift._keep(router, timezone.now(), "same").drift_since is None

    def test_what_the_text_leaves_out_is_kept_and_goes_when_it_cannot_be_compared(self, router):
        drift._keep(router, timezone.now(), "same", unnamed=["198.51.100.1"])
        assert RouterState.objects.get().unnamed == ["198.51.100.1"]
        drift._keep(router, timezone.now(), "failed", failure="no answer")
        assert RouterState.objects.get().unnamed == []

    def test_what_a_poll_keeps_in_the_same_row_is_left_alone(self, router):
        polled = timezone.now()
        RouterState.objects.create(router=router, polled=polled, failure="earlier")
        state = drift._keep(router, timezone.now(), "same")
        state.refresh_from_db()
        assert (state.polled, state.failure) == (polled, "earlier")

    def test_nothing_is_asked_of_a_router_while_something_is_being_sent(self, router):
        from netbox_peering_manager.exceptions import RouterBusy

        Deployment.objects.create(router=router, mode="merge", status="committing")
        with pytest.raises(RouterBusy, match="being sent"):
            drift.compare_router(router)
        assert not RouterState.objects.exists()

    def test_keeping_takes_as_many_queries_for_many_sessions(self, router):
        from tests.deployments.scenery import make_sessions

        def make(numbers):
            make_sessions(router, *(f"203.0.113.{number + 1}" for number in numbers))

        queries_for_few_and_many(lambda: drift._keep(router, timezone.now(), "same"), make)


class TestJobs:
    def test_all_routers_with_push_are_compared_one_job_each_and_one_without_a_template_fails(self, user):
        first, off, bare = routers_with_a_session()
        PeeringRouter.objects.filter(pk=off.pk).update(push_enabled=False)
        PeeringRouter.objects.filter(pk=bare.pk).update(config_template=None)
        job = CompareRoutersJob.enqueue()
        CompareRoutersJob(job).run()
        jobs = {each.data["router"]: each for each in Job.objects.filter(name=DriftJob.name)}
        assert set(jobs) == {first.pk, bare.pk}
        DriftJob.handle(jobs[bare.pk], router=bare.pk)
        state = RouterState.objects.get(router=bare)
        assert state.drift == "failed"
        assert "has no config template. Choose one" in state.drift_failure

    def test_a_router_is_not_compared_twice_at_once(self, router, user):
        assert DriftJob.start(router, user) == DriftJob.start(router)

    def test_a_comparison_whose_worker_was_killed_is_ended_and_begun_again(self, router, user):
        killed = DriftJob.start(router, user)
        Job.objects.update(status="running", created=timezone.now() - timedelta(hours=1))
        assert DriftJob.underway(router) is None
        killed.refresh_from_db()
        assert (killed.status, killed.error) == ("errored", "The worker ended in mid-work.")
        assert DriftJob.start(router, user) not in (None, killed)

    def test_two_that_ask_at_once_wait_for_each_other(self, router, monkeypatch):
        taken = []

        @contextmanager
        def lock(name):
            taken.append(name)
            yield

        monkeypatch.setattr("netbox_peering_manager.jobs.drift.advisory_lock", lock)
        DriftJob.start(router)
        assert taken == ["netbox_peering_manager.start_comparisons"]

    def test_a_comparison_that_failed_is_a_failed_job_and_is_kept(self, router, user):
        break_template(router)
        job = DriftJob.start(router, user)
        with pytest.raises(JobFailed):
            DriftJob(job).run(router=router.pk)
        assert "Broken" in job.error
        assert RouterState.objects.get().drift == "failed"

    def test_the_rights_of_the_user_are_those_of_when_it_runs(self, router):
        someone = plain()
        grant(someone, PeeringRouter, "view")
        job = DriftJob.start(router, someone)
        someone.object_permissions.all().delete()
        with pytest.raises(JobFailed):
            DriftJob(job).run(router=router.pk)
        assert "may not view" in job.error
        assert not RouterState.objects.exists()

    def test_nothing_is_done_when_the_setting_became_0(self, router, settings):
        plugin = "netbox_peering_manager"
        settings.PLUGINS_CONFIG = {
            **settings.PLUGINS_CONFIG,
            plugin: {**settings.PLUGINS_CONFIG[plugin], "drift_interval": 0},
        }
        job = CompareRoutersJob.enqueue(interval=5)
        CompareRoutersJob(job).run()
        assert job.interval is None
        assert not Job.objects.filter(name=DriftJob.name).exists()


class TestPages:
    def test_the_list_shows_which_differ_since_when_and_how_much(self, user, router):
        told(router)
        shown = page(client_of(user), LIST).content.decode()
        for text in ("Differs", "+1", "&minus;2", tab(router)):
            assert text in shown

    def test_the_filter(self, router):
        told(router)
        fresh = make_router("rt9.mtl")

        def found(*values):
            return set(PeeringRouterFilterSet({"drift": values}, PeeringRouter.objects.all()).qs)

        assert found("differs") == {router}
        assert found("never") == {fresh}
        assert found("never", "differs") == {router, fresh}
        RouterState.objects.create(router=fresh, polled=timezone.now())
        assert found("never") == {fresh}

    def test_the_tab_shows_the_difference_and_the_buttons(self, user, router):
        told(router)
        shown = page(client_of(user), tab(router)).content.decode()
        assert "neighbor 198.51.100.1 remote-as 64496" in shown
        assert reverse(f"{P}:peeringrouter_compare_now", args=[router.pk]) in shown

    def test_same_on_a_router_that_is_merged_into_says_what_that_means(self, user, router):
        RouterState.objects.create(router=router, drift="same", compared=timezone.now())
        client = client_of(user)
        for address in (tab(router), LIST):
            assert "Has all that NetBox has" in page(client, address).content.decode()
        assert "Never polled" in page(client, tab(router)).content.decode()
        PeeringRouter.objects.filter(pk=router.pk).update(config_mode="replace")
        for address in (tab(router), LIST):
            shown = page(client, address).content.decode()
            assert "Has all that NetBox has" not in shown
            assert ">Same<" in shown

    def test_neighbours_that_netbox_does_not_know_stand_beside_it(self, user, router):
        now = timezone.now()
        RouterState.objects.create(router=router, drift="same", compared=now, polled=now)
        for host in (1, 2):
            UnknownNeighbor.objects.create(
                router=router,
                remote_ip=f"192.0.2.{host}",
                bgp_state="established",
                first_seen=now,
                last_seen=now,
            )
        link = f'{reverse(f"{P}:unknownneighbor_list")}?router_id={router.pk}">2</a>'
        for address in (tab(router), LIST):
            assert link in page(client_of(user), address).content.decode()

    def test_the_tab_says_why_it_could_not_be_compared(self, user, router):
        told(router, "failed", "", drift_failure="no route to host")
        assert "no route to host" in page(client_of(user), tab(router)).content.decode()

    def test_compare_now_starts_a_job_and_shows_its_progress(self, user, router):
        client = client_of(user)
        answer = client.post(reverse(f"{P}:peeringrouter_compare_now", args=[router.pk]))
        assert answer["Location"] == tab(router)
        assert DriftJob.underway(router).user == user
        assert "job-progress" in page(client, tab(router)).content.decode()

    def test_compare_now_for_the_selected_ones(self, user):
        first, second, _third = routers_with_a_session()
        PeeringRouter.objects.filter(pk=second.pk).update(config_template=None)
        address = reverse(f"{P}:peeringrouter_bulk_compare_now")
        answer = client_of(user).post(address, {"pk": [first.pk, second.pk]}, follow=True).content.decode()
        assert "1 router is being compared." in answer
        assert "has no config template" in answer
        assert Job.objects.filter(name=DriftJob.name).count() == 1

    def test_of_many_refusals_some_are_told_and_the_list_keeps_its_filters(self, user):
        routers = routers_with_a_session(7)
        PeeringRouter.objects.update(config_template=None)
        address = reverse(f"{P}:peeringrouter_bulk_compare_now")
        data = {"pk": [one.pk for one in routers], "return_url": f"{LIST}?drift=never"}
        answer = client_of(user).post(address, data, follow=True)
        assert answer.redirect_chain == [(f"{LIST}?drift=never", 302)]
        told = [str(message) for message in answer.context["messages"]]
        assert ["has no config template" in text for text in told] == [True] * 5 + [False]
        assert told[5] == "2 more refused."
        assert client_of(user).post(address, {"pk": [routers[0].pk]})["Location"] == LIST

    def test_configure_selected_means_those_of_the_page_when_all_are_selected(self, user):
        first, second, off = routers_with_a_session()
        PeeringRouter.objects.filter(pk=off.pk).update(push_enabled=False)
        client = client_of(user)
        configure = reverse(f"{P}:peeringrouter_bulk_configure")
        shown = page(client, f"{LIST}?drift=never").content.decode()
        address = f"{configure}?drift=never&push_enabled=true"
        assert address.replace("&", "&amp;") in shown
        answer = client.post(address, {"_all": "on"})
        assert [router for router, _why_not in answer.context["routers"]] == [first, second]

    def test_who_may_only_view_may_not_compare(self, router):
        told(router)
        reader = plain()
        grant(reader, PeeringRouter, "view")
        grant(reader, Deployment, "view")
        client = client_of(reader)
        address = reverse(f"{P}:peeringrouter_compare_now", args=[router.pk])
        assert address not in page(client, tab(router)).content.decode()
        assert client.post(address).status_code == 403
        assert (
            client.post(reverse(f"{P}:peeringrouter_bulk_compare_now"), {"pk": [router.pk]}).status_code
            == 403
        )

    def test_who_may_not_view_deployments_does_not_see_what_differs(self, router):
        told(router)
        reader = plain()
        grant(reader, PeeringRouter, "view")
        client = client_of(reader)
        assert client.get(LIST).status_code == 403
        assert client.get(tab(router)).status_code == 403

    def test_routers_that_the_user_may_not_view_are_not_there(self, router):
        told(router)
        other = make_router("rt9.mtl")
        limited = plain()
        grant(limited, PeeringRouter, "view", pk=other.pk)
        grant(limited, Deployment, "view", "add")
        client = client_of(limited)
        assert str(router) not in page(client, LIST).content.decode()
        assert client.get(tab(router)).status_code == 404
        client.post(reverse(f"{P}:peeringrouter_bulk_compare_now"), {"pk": [router.pk]})
        assert not Job.objects.filter(name=DriftJob.name).exists()

    def test_the_list_takes_no_more_queries_for_more_routers(self, user):
        client = client_of(user)
        queries_for_few_and_many(
            lambda: page(client, LIST),
            lambda numbers: [told(make_router(f"rt{number}.mtl")) for number in numbers],
        )

    def test_what_it_hides_takes_no_more_queries_for_more_routers(self):
        limited = plain()
        grant(limited, PeeringRouter, "view")
        grant(limited, Deployment, "view")
        grant(limited, PeeringSession, "view", service_reference="mine")
        client = client_of(limited)

        def grow(numbers):
            for number in numbers:
                router = make_router(f"rt{number}.mtl")
                told(router, "failed", "", drift_failure=f"198.51.100.{number} is refused")
                make_sessions(router, f"198.51.100.{number}")

        queries_for_few_and_many(lambda: page(client, LIST), grow)
        assert "198.51.100." not in page(client, LIST).content.decode()


class TestRest:
    def test_what_the_last_comparison_found(self, user, router):
        address = reverse(f"{API}:router-drift", args=[router.pk])
        client = client_of(user)
        assert page(client, address).json()["drift"] is None
        told(router)
        answer = page(client, address).json()
        assert answer["drift"] == {"value": "differs", "label": "Differs"}
        assert "remote-as 64496" in answer["masked_diff"]

    def test_compare_now_answers_with_the_job(self, user, router):
        answer = client_of(user).post(reverse(f"{API}:router-drift", args=[router.pk]))
        assert answer.status_code == 202
        assert answer.json()["name"] == DriftJob.name

    def test_compare_is_refused_with_the_reason(self, user, router):
        PeeringRouter.objects.filter(pk=router.pk).update(push_enabled=False)
        answer = client_of(user).post(reverse(f"{API}:router-drift", args=[router.pk]))
        assert answer.status_code == 409
        assert "Switch on push" in answer.json()["detail"]

    def test_rights(self, router):
        told(router)
        address = reverse(f"{API}:router-drift", args=[router.pk])
        reader = plain()
        grant(reader, PeeringRouter, "view")
        assert client_of(reader).get(address).status_code == 403
        grant(reader, Deployment, "view")
        reader = type(reader).objects.get(pk=reader.pk)
        assert client_of(reader).get(address).status_code == 200
        assert client_of(reader).post(address).status_code == 403

    def test_the_filter_of_routers(self, user, router):
        told(router)
        make_router("rt9.mtl")
        found = page(client_of(user), reverse(f"{API}:peeringrouter-list") + "?drift=differs").json()
        assert [each["id"] for each in found["results"]] == [router.pk]
