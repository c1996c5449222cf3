"""The progress of background jobs, as a part of pages: who sees it, what it shows, when it stops asking."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from core.exceptions import JobFailed
from core.models import Job

from netbox_peering_manager.jobs.base import PeeringJob
from netbox_peering_manager.ui.jobs import job_progress
from tests.sessions.people import browser, make_root, make_user

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


class Work(PeeringJob):
    """What the tests run: reports, and ends as it is told."""

    class Meta:
        name = "Some work"

    def run(self, end=None):
        self.report(30, 120, "org")

        if end is not None:
            self.logger.error("PeeringDB cannot be reached.")
            raise end


def make_job(user=None, **fields):
    fields = {"name": "Some work", "queue_name": "nobody.listens", **fields}
    return Job.objects.create(user=user, job_id=uuid.uuid4(), **fields)


def address(job, query=""):
    return reverse("plugins:netbox_peering_manager:job_progress", args=[job.pk]) + query


def shown(client, job, query="", **headers):
    response = client.get(address(job, query), headers=headers)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def running(user=None, done=30, total=120, text="org"):
    return make_job(
        user, status="running", data={"progress": {"done": done, "total": total, "text": text}, "other": 1}
    )


def test_a_job_is_shown_to_its_own_user_and_to_who_may_view_jobs():
    owner = make_user(name="owner")
    job = running(owner)
    for user in (owner, make_user("core.view_job", name="viewer"), make_root()):
        assert "Some work" in shown(browser(user), job), user


def test_a_job_is_not_there_for_anybody_else():
    job = running(make_user(name="owner"))
    nobody = make_user(name="nobody")
    constrained = make_user("core.view_job", name="constrained", constraints={"name": "Other work"})
    for user in (nobody, constrained):
        assert browser(user).get(address(job)).status_code == 404, user
    assert "/login/" in browser().get(address(job))["Location"]


def test_the_schedulers_jobs_do_not_belong_to_visitors_without_a_name(settings):
    settings.LOGIN_REQUIRED = False
    assert Client().get(address(running(None))).status_code == 404


def test_a_running_job_shows_how_far_it_is_and_asks_again():
    owner = make_user(name="owner")
    text = shown(browser(owner), running(owner))
    assert 'aria-valuenow="25"' in text
    assert "30 of 120" in text
    assert ">org<" in text
    assert "hx-get=" in text
    assert 'hx-trigger="every 2s"' in text


def test_progress_that_is_not_known_yet_claims_no_percentage():
    owner = make_user(name="owner")
    for job in (running(owner, 0, 0), make_job(owner, status="running")):
        text = shown(browser(owner), job)
        assert "aria-valuenow" not in text
        assert "progress-bar-indeterminate" in text


def test_a_link_to_the_job_is_given_to_who_may_open_it():
    owner = make_user(name="owner")
    job = running(owner)
    assert job.get_absolute_url() not in shown(browser(owner), job)
    assert job.get_absolute_url() in shown(browser(make_root()), job)


def test_a_finished_job_stops_asking_and_links_to_its_result():
    owner = make_user(name="owner")
    job = make_job(owner, status="completed")
    text = shown(browser(owner), job, "?result=/plugins/peering-manager/sessions/")
    assert "hx-get" not in text
    assert 'aria-valuenow="100"' in text
    assert (
        '<a href="/plugins/peering-manager/sessions/" class="btn btn-primary mt-2">Show the result</a>'
        in text
    )


def test_the_result_does_not_lead_to_another_site():
    owner = make_user(name="owner")
    job = make_job(owner, status="completed")
    assert "example.org" not in shown(browser(owner), job, "?result=https://example.org/")


def test_the_page_is_loaded_again_when_the_job_has_ended_and_not_before():
    owner = make_user(name="owner")
    client = browser(owner)
    ended, still = make_job(owner, status="failed"), running(owner)
    assert client.get(address(ended, "?reload=1"), headers=HTMX)["HX-Refresh"] == "true"
    assert "HX-Refresh" not in client.get(address(ended), headers=HTMX)
    assert "HX-Refresh" not in client.get(address(still, "?reload=1"), headers=HTMX)


def test_what_was_asked_for_at_the_end_is_kept_while_it_is_asked_again():
    owner = make_user(name="owner")
    text = shown(browser(owner), running(owner), "?result=/plugins/peering-manager/sessions/&reload=1")
    assert "progress/?result=%2Fplugins%2Fpeering-manager%2Fsessions%2F&amp;reload=1" in text


def test_a_job_that_waits_says_when_nobody_takes_it():
    owner = make_user(name="owner")
    assert "No worker takes jobs from the queue nobody.listens" in shown(browser(owner), make_job(owner))
    assert "<code>rqworker high default low nobody.listens</code>" in shown(browser(owner), make_job(owner))
    assert "No worker" not in shown(browser(owner), running(owner))


def test_queue_of_netboxs_own_is_named_once(monkeypatch):
    monkeypatch.setattr("netbox_peering_manager.ui.jobs.any_workers_for_queue", lambda queue: False)
    owner = make_user(name="owner")
    text = shown(browser(owner), make_job(owner, queue_name="default"))
    assert "<code>rqworker high default low</code>" in text


def test_what_a_job_reports_is_what_is_shown():
    owner = make_user(name="owner")
    job = make_job(owner)
    Work.handle(job)
    progress = job_progress(Job.objects.get(pk=job.pk), owner)
    assert (progress.done, progress.total, progress.text) == (30, 120, "org")
    assert (progress.is_finished, progress.is_good, progress.percent) == (True, True, 100)


def test_a_failed_job_says_why():
    owner = make_user(name="owner")
    job = make_job(owner)
    Work.handle(job, end=JobFailed())
    text = shown(browser(owner), job)
    assert "PeeringDB cannot be reached." in text
    assert "bg-danger" in text


def test_a_jobs_unexpected_error_is_told_without_its_traceback():
    owner = make_user(name="owner")
    job = make_job(owner)
    Work.handle(job, end=RuntimeError("internal matters"))
    text = shown(browser(owner), job)
    assert "stopped at an unexpected error" in text
    assert "internal matters" not in text
    assert "Traceback" not in text
