"""Deleted sessions that their routers still have: shown, removed by a deployment, and forgotten once they are gone."""

import pytest
from django.urls import reverse
from django.utils import timezone

from core.models import Job

from netbox_peering_manager.jobs.deployments import DeploymentJob
from netbox_peering_manager.models import Deployment, PeeringRouter, PeeringSession, RemovedSession
from netbox_peering_manager.services.deployment import configured, moves
from tests.deployments.scenery import make_router, make_sessions, make_user
from tests.deployments.test_fleet_pages import client_of, grant, plain
from tests.queries import page, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def router():
    return make_router()


def removed_from(router, *remotes, **fields) -> list[RemovedSession]:
    """Sessions that were deleted, as deleting them leaves them behind."""
    sessions = make_sessions(router, *remotes)
    relationship = sessions[0].relationship
    relationship.remove_from_router = True
    relationship.save()
    for session in sessions:
        session.refresh_from_db()
        session.delete()
    return list(RemovedSession.objects.filter(device=router.device).order_by("pk"))


def seen(*addresses, vrf="") -> list[dict]:
    return [{"vrf": vrf, "remote_ip": address, "interface": ""} for address in addresses]


def done(router, *removed, sent=True, before=(), after=(), **fields) -> Deployment:
    """A deployment that is done; with `removed`, one that removes these."""
    made = Deployment.objects.create(
        router=router,
        kind="remove" if removed else "configure",
        partial=bool(removed),
        mode=fields.pop("mode", "merge"),
        status="done",
        sent=timezone.now() if sent else None,
        ended=timezone.now(),
        sessions_before=seen(*before),
        sessions_after=seen(*after) if sent else None,
        **fields,
    )
    for row in removed:
        made.targets.create(remote_ip=row.remote_ip, vrf=row.vrf, local_interface=row.local_interface)
    configured.note(made)
    return made


def left() -> set[str]:
    return set(RemovedSession.objects.values_list("remote_ip", flat=True))


class TestForgetting:
    A, B = "198.51.100.7", "198.51.100.8"

    def test_those_of_the_deployment_are_forgotten_and_no_others(self, router):
        first, _second = removed_from(router, self.A, self.B)
        done(router, first, before=(self.A, self.B), after=(self.B,))
        assert left() == {self.B}

    def test_a_deployment_of_the_whole_router_forgets_all_that_are_gone(self, router):
        removed_from(router, self.A, self.B)
        other = make_router("rt2.mtl")
        removed_from(other, "203.0.113.9")
        done(router, before=(self.A, self.B))
        assert left() == {"203.0.113.9"}

    def test_one_that_the_router_still_lists_is_kept(self, router):
        removed_from(router, self.A, self.B)
        done(router, before=(self.A, self.B), after=(self.B,))
        assert left() == {self.B}

    def test_the_same_address_in_another_vrf_is_another_neighbor(self, router):
        removed_from(router, self.A)
        made = done(router, before=(self.A,), after=(self.A,))
        assert left() == {self.A}
        made.sessions_after = seen(self.A, vrf="blue")
        configured.note(made)
        assert left() == set()

    def test_one_that_was_deleted_after_it_was_rendered_is_kept(self, router):
        made = done(router)
        removed_from(router, self.A)
        configured.note(made)
        assert left() == {self.A}

    @pytest.mark.parametrize("status", ["failed", "rolled-back", "cancelled", "committing"])
    def test_only_what_is_done_forgets(self, router, status):
        (row,) = removed_from(router, self.A)
        made = Deployment.objects.create(
            router=router, kind="remove", partial=True, mode="merge", status=status, ended=timezone.now()
        )
        made.targets.create(remote_ip=row.remote_ip)
        configured.note(made)
        assert left() == {self.A}

    def test_nothing_to_change_is_believed_where_the_router_does_not_list_it(self, router):
        removed_from(router, self.A, self.B)
        done(router, sent=False, before=(self.B,))
        assert left() == {self.B}

    def test_nothing_to_change_says_little_where_neighbors_cannot_be_told(self, router):
        """Only of those that the template spoke of, unless the whole configuration was compared."""
        removed_from(router, self.A, self.B)
        done(router, sent=False, masked_text=f"no neighbor {self.A}\n")
        assert left() == {self.B}
        done(router, sent=False, mode="replace")
        assert left() == set()

    def test_commands_forget_nothing(self, router):
        removed_from(router, self.A)
        made = Deployment.objects.create(router=router, kind="commands", mode="merge", status="done")
        configured.note(made)
        assert left() == {self.A}

    def test_moving_to_done_does_it(self, router):
        (row,) = removed_from(router, self.A)
        made = Deployment.objects.create(
            router=router, kind="remove", partial=True, mode="merge", status="confirming", sent=timezone.now()
        )
        made.targets.create(remote_ip=row.remote_ip)
        moves.move(made, "done", sessions_after=[])
        assert left() == set()

    def test_the_queries_do_not_grow_with_them(self, router):
        removed_from(router, self.A)
        few = queries_of(lambda: done(router))
        removed_from(router, *(f"203.0.113.{number}" for number in range(10, 20)))
        assert queries_of(lambda: done(router)) <= few


class TestPanel:
    @pytest.fixture
    def removed(self, router):
        return removed_from(router, "198.51.100.7", "198.51.100.8")

    def address(self, router):
        return reverse("plugins:netbox_peering_manager:peeringrouter_remove_sessions", args=[router.pk])

    def test_the_router_page_lists_them_with_a_button(self, user, router, removed):
        shown = page(client_of(user), router.get_absolute_url()).content.decode()
        assert "198.51.100.7" in shown
        assert self.address(router) in shown

    def test_there_is_no_panel_without_any(self, user, router):
        assert "Removed Sessions" not in page(client_of(user), router.get_absolute_url()).content.decode()

    def test_one_whose_address_has_a_session_again_is_not_listed(self, user, router, removed):
        make_sessions(router, "198.51.100.7")
        shown = page(client_of(user), router.get_absolute_url()).content.decode()
        assert "198.51.100.8" in shown
        assert f'value="{removed[0].pk}"' not in shown

    def test_remove_now_makes_and_starts_a_deployment_of_the_chosen_ones(self, user, router, removed):
        answer = client_of(user).post(self.address(router), {"removed": [removed[0].pk]})
        made = Deployment.objects.get()
        assert answer["Location"] == made.get_absolute_url()
        assert (made.kind, made.automatic) == ("remove", True)
        assert [target.remote_ip for target in made.targets.all()] == ["198.51.100.7"]
        assert "no neighbor 198.51.100.7" in made.masked_text
        assert "198.51.100.8" not in made.masked_text
        assert Job.objects.filter(name=DeploymentJob.name, user=user).exists()

    def test_remove_now_is_refused_without_push(self, user, router, removed):
        PeeringRouter.objects.update(push_enabled=False)
        answer = client_of(user).post(self.address(router), {"removed": [removed[0].pk]}, follow=True)
        assert "Switch on push" in answer.content.decode()
        assert not Deployment.objects.exists()

    @pytest.mark.parametrize("ticked", [[], ["all"]])
    def test_remove_now_with_nothing_ticked_removes_nothing(self, user, router, removed, ticked):
        answer = client_of(user).post(self.address(router), {"removed": ticked}, follow=True)
        assert "Nothing was removed from rt1.mtl: tick at least one" in answer.content.decode()
        assert not Deployment.objects.exists()

    def test_those_of_another_router_are_not_removed(self, user, router, removed):
        other = make_router("rt2.mtl")
        client_of(user).post(self.address(other), {"removed": [removed[0].pk]})
        assert not Deployment.objects.exists()

    @pytest.mark.parametrize("actions", [("view",), ("view", "add")])
    def test_who_may_not_commit_may_not_remove(self, router, removed, actions):
        reader = plain()
        grant(reader, PeeringRouter, "view")
        grant(reader, PeeringSession, "view")
        grant(reader, Deployment, *actions)
        client = client_of(reader)
        shown = page(client, router.get_absolute_url()).content.decode()
        assert "198.51.100.7" in shown
        assert "Remove now" not in shown
        assert client.post(self.address(router), {"removed": [removed[0].pk]}).status_code == 403

    def test_who_may_not_view_all_sessions_does_not_learn_of_deleted_ones(self, router, removed):
        limited = plain()
        grant(limited, PeeringRouter, "view")
        grant(limited, PeeringSession, "view", service_reference="mine")
        grant(limited, Deployment, "view", "add", "commit")
        client = client_of(limited)
        assert "198.51.100.7" not in page(client, router.get_absolute_url()).content.decode()
        client.post(self.address(router), {"removed": [row.pk for row in removed]})
        assert not Deployment.objects.exists()
