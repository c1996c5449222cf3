"""Adding many sessions when database or process end in the middle: batches are whole, and a second run completes."""

import json
import os
import signal
import subprocess
import sys

import pytest
from django.urls import reverse

from core.models import Job, ObjectChange
from ipam.models import IPAddress
from netbox_routing.models import BGPPeer, BGPPeerAddressFamily

from dev import paths
from netbox_peering_manager.jobs.sessions import AddSessionsJob
from netbox_peering_manager.models import PeerASN, PeeringSession
from netbox_peering_manager.services.provisioning import create_bulk
from netbox_peering_manager.services.provisioning.plan import plan_sessions
from netbox_peering_manager.services.provisioning.planned import Choices
from tests import factories
from tests.peeringdb.test_sync_faults import end_session
from tests.services.test_create_bulk import make_ports, set_up_lan
from tests.sessions import adding
from tests.sessions.people import browser, make_root, rest

pytestmark = pytest.mark.django_db(transaction=True)

RESULT = "plugins:netbox_peering_manager:peeringsession_added"
ADDED = "plugins-api:netbox_peering_manager-api:session-added"
MODELS = (PeeringSession, BGPPeer, BGPPeerAddressFamily, PeerASN, IPAddress)
PORTS = 3


@pytest.fixture
def wanted(monkeypatch):
    """The arguments of a job that adds three peers in both families, in batches of two."""
    monkeypatch.setattr(create_bulk, "BATCH", adding.BATCH)
    set_up_lan()
    choices = Choices(relationship=factories.make_relationship("Peer").pk)
    ports = [port.pk for port in make_ports(PORTS)]
    return {
        "ports": ports,
        "reviewed": [list(one) for one in plan_sessions(ports, choices, None).reviewed()],
        "choices": choices.as_data(),
    }


def run(user, wanted) -> Job:
    return AddSessionsJob.enqueue(user=user, immediate=True, **wanted)


def rows():
    """How many there are of what was made, and which addresses the sessions have."""
    addresses = PeeringSession.objects.values_list("bgp_peer__peer__address", flat=True)
    return [model.objects.count() for model in MODELS], sorted(map(str, addresses))


def is_whole():
    """Whether nothing is there by halves: each session has its peer, its family and its record of the change log."""
    made = PeeringSession.objects.count()
    changes = ObjectChange.objects.filter(changed_object_type__model="peeringsession", action="create")
    return BGPPeer.objects.count() == BGPPeerAddressFamily.objects.count() == changes.count() == made


def completed(user, wanted, before):
    """Add the same peers again: what is missing is made, and all is as a run that nothing befell leaves it."""
    job = run(user, wanted)
    assert job.status == "completed", job.error
    assert len(job.data["added"]["made"]) == 2 * PORTS - before
    assert {row["reason"] for row in job.data["added"]["skipped"]} == {"exists"}
    counts, addresses = rows()
    assert (counts[:3], len(set(addresses))) == ([2 * PORTS] * 3, 2 * PORTS)
    # Our own AS is a peer ASN too, and our port has two addresses.
    assert counts[3:] == [PORTS + 1, 2 * PORTS + 2]
    assert is_whole()
    after = rows()
    assert run(user, wanted).data["added"]["made"] == []
    assert rows() == after


def test_database_session_that_ends_between_batches(wanted, monkeypatch):
    user = make_root()
    reported = AddSessionsJob.report

    def report(self, done, total, text=""):
        reported(self, done, total, text)
        if done == adding.BATCH:
            end_session()

    with monkeypatch.context() as patched:
        patched.setattr(AddSessionsJob, "report", report)
        job = run(user, wanted)
    job.refresh_from_db()
    assert job.status == "failed"
    assert job.error.startswith("The database ended the work: ")
    assert job.error.endswith(
        ". Whole batches are kept; add the same peers again, and only what is missing is made."
    )
    assert PeeringSession.objects.count() == adding.BATCH
    assert is_whole()
    made = set(PeeringSession.objects.values_list("pk", flat=True))
    assert {row["session_id"] for row in job.data["added"]["made"]} == made
    page = browser(user).get(reverse(RESULT, args=[job.pk])).content.decode()
    assert "The database ended the work" in page
    assert "2 sessions were made" in " ".join(page.split())
    for pk in made:
        assert reverse("plugins:netbox_peering_manager:peeringsession", args=[pk]) in page
    answer = rest(user).get(reverse(ADDED, args=[job.pk])).json()
    assert (answer["error"], {row["session_id"] for row in answer["made"]}) == (job.error, made)
    completed(user, wanted, before=adding.BATCH)


def test_process_that_is_killed_within_a_batch(wanted):
    user = make_root()
    job = Job.objects.create(name=AddSessionsJob.name, user=user, job_id=f"{1:032x}")
    process = subprocess.run(
        [sys.executable, "-m", "tests.sessions.adding", str(job.pk), json.dumps(wanted)],
        cwd=paths.ROOT,
        env={**os.environ, "NPM_DATABASE": create_bulk.transaction.get_connection().settings_dict["NAME"]},
        timeout=120,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    assert PeeringSession.objects.count() == adding.BATCH
    assert is_whole()
    completed(user, wanted, before=adding.BATCH)
