"""
No secret leaves its field, whatever happens: each kind is planted, a real NetBox with its worker and a real router go
through what may go well or wrong, and then all that either has written is searched.

Events are listened to by a webhook for every event type that there is, and everything is logged that anybody logs.
"""

import json
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.models import Job, ObjectType
from extras.choices import EventRuleActionChoices
from extras.models import ConfigTemplate, EventRule, Webhook
from netbox.registry import registry
from users.models import User

from dev.lab.plan import SESSION_PASSWORD
from dev.lab.texts import configuration
from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.exceptions import TemplateFailed
from netbox_peering_manager.jobs.deployments import DeploymentJob
from netbox_peering_manager.jobs.monitoring import start_polls
from netbox_peering_manager.models import Deployment, PeeringRouter, PeeringSession, SessionState
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.deployment import asking
from netbox_peering_manager.services.devices.credentials import Credentials
from netbox_peering_manager.services.tracking import recorded, request_of
from tests.browser.conftest import running_site
from tests.lab import deploying
from tests.scenarios import searching

pytestmark = pytest.mark.lab
PATIENCE_S = 60
# A member that wants a password (it has one in the lab), and one that wants none.
WITH_PASSWORD, WITHOUT = 64503, 64496
CHANGED = "Marker-changed-by-us"
IN_CLEAR = "Marker-in-the-plain-column"
OF_COMMANDS = "Marker-within-commands"
REFUSED = "Marker-in-a-refused-line"
TYPED = "Marker-typed-and-wrong"
OF_PROFILE = "Marker-of-a-profile"
PASSPHRASE = "Marker-of-a-key"
ENDED = ("completed", "errored", "failed")


@dataclass
class Scene:
    """A NetBox with its worker, a lab, and what was planted."""

    site: object
    lab: object
    told: list[bytes]
    planted: dict[str, str] = field(default_factory=dict)

    @property
    def router(self) -> PeeringRouter:
        return PeeringRouter.objects.with_access().get()

    @property
    def user(self) -> User:
        return User.objects.get(username="operator")

    def session(self, asn: int) -> PeeringSession:
        address = self.lab.nodes[f"as{asn}"].addresses[0]
        return PeeringSession.objects.get(bgp_peer__peer__address__net_host=address)

    def set_password(self, asn: int, password: str) -> PeeringSession:
        """As a person would: with change record and events."""
        session = self.session(asn)
        with recorded(request_of(self.user)):
            session.snapshot()
            secrets.set_password(session, password)
            session.save()
        return session

    def deploy(self, **asked) -> Deployment:
        """Ask for a deployment, let the worker do it, and wait until it is over."""
        with recorded(request_of(self.user)):
            deployment = asking.request(self.router, self.user, **{"automatic": True} | asked)
        self.wait(DeploymentJob.start(deployment, self.user))
        deployment.refresh_from_db()
        assert deployment.has_ended, (deployment.status, deployment.reason)
        return deployment

    def poll(self) -> Job:
        (job,) = start_polls([self.router], self.user)
        return self.wait(job)

    @staticmethod
    def wait(job: Job) -> Job:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            job.refresh_from_db()
            if job.status in ENDED:
                return job
            assert time.monotonic() < deadline, job.status
            time.sleep(0.2)


@pytest.fixture(scope="module")
def scene(lab, django_db_blocker):
    folder = lab.folder / "secrets"
    folder.mkdir(exist_ok=True)
    first = lab.routers[deploying.EDGE]
    files = {"password": OF_PROFILE, "passphrase": PASSPHRASE, "key": locked_key(first.key_file, folder)}
    for name, content in files.items():
        (folder / name).write_text(content)
    settings = {
        "known_hosts": first.known_hosts,
        "device_timeout_s": 8,
        "poll_interval": 0,
        "credential_profiles": {
            "default": {
                "username": first.user,
                "key": {"file": str(folder / "key")},
                "passphrase": {"file": str(folder / "passphrase")},
            },
            "wrong": {"username": first.user, "password": {"file": str(folder / "password")}},
        },
    }
    site = running_site(
        "secrets", django_db_blocker, with_worker=True, NPM_SETTINGS=json.dumps(settings), NPM_LOG="DEBUG"
    )
    with site as running, listening() as (address, told), running.data():
        deploying.empty(lab)
        deploying.build(lab, (WITH_PASSWORD, WITHOUT))
        hear_everything(address)
        yield Scene(running, lab, told, {"key": files["key"].splitlines()[2]})


def locked_key(path: str, folder: Path) -> str:
    """The lab's key, under a passphrase."""
    locked = folder / "locked"
    locked.write_text(Path(path).read_text())
    locked.chmod(0o600)
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", str(locked)],
        check=True,
        capture_output=True,
    )
    return locked.read_text()


@contextmanager
def listening():
    """A server that keeps the bodies of what is posted to it. Yields its address and that list."""
    told: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", told
    finally:
        server.shutdown()
        server.server_close()


def hear_everything(address: str):
    """Every event about what the plugin or netbox-routing has, to the webhook."""
    webhook = Webhook.objects.create(name="All", payload_url=address, ssl_verification=False)
    rule = EventRule.objects.create(
        name="All",
        event_types=list(registry["event_types"]),
        action_type=EventRuleActionChoices.WEBHOOK,
        action_object_type=ObjectType.objects.get_for_model(Webhook),
        action_object_id=webhook.pk,
    )
    heard = ObjectType.objects.filter(app_label__in=("netbox_peering_manager", "netbox_routing"))
    rule.object_types.set(heard)


def test_no_secret_is_found_anywhere_after_all_that_may_happen(scene):
    everything_that_may_happen(scene)
    markers = [
        *(SESSION_PASSWORD, CHANGED, IN_CLEAR, OF_COMMANDS, REFUSED, TYPED, OF_PROFILE, PASSPHRASE),
        *(scene.lab.routers[deploying.EDGE].password, scene.planted["key"]),
    ]
    # netbox-routing's own plain column, which nobody reads there without its own permission.
    allowed = {("netbox_routing_bgppeer", IN_CLEAR)}
    assert set(searching.in_database(markers)) - allowed == set()
    assert set(searching.in_redis(markers)) == set()
    log = scene.site.log.read_text()
    assert "deployment" in log.lower()
    assert [marker for marker in markers if marker in log] == []
    assert scene.told
    bodies = b"\n".join(scene.told)
    assert [marker for marker in markers if marker.encode() in bodies and marker != IN_CLEAR] == []


def everything_that_may_happen(scene: Scene):
    """What is planted is really used: each step says how it ended."""
    # Deployed, with the right password: both members are Established.
    scene.set_password(WITH_PASSWORD, SESSION_PASSWORD)
    assert scene.deploy().status == Status.DONE
    ups = scene.lab.nodes[f"as{WITH_PASSWORD}"].addresses[0]
    assert deploying.eventually(lambda: ups in scene.lab.established_on_both_ends(deploying.EDGE))
    assert scene.poll().status == "completed"
    assert SessionState.objects.filter(bgp_state="established").exists()

    # Changed on our side alone: the session is lost, and the change is undone.
    session = scene.set_password(WITH_PASSWORD, CHANGED)
    assert scene.deploy(sessions=[session.pk]).status == Status.ROLLED_BACK
    scene.set_password(WITH_PASSWORD, SESSION_PASSWORD)

    # One that lies in clear, where netbox-routing keeps it.
    clear = scene.session(WITHOUT).bgp_peer
    type(clear).objects.filter(pk=clear.pk).update(password=IN_CLEAR)
    assert scene.deploy(sessions=[scene.session(WITHOUT).pk]).status in (Status.ROLLED_BACK, Status.DONE)
    type(clear).objects.filter(pk=clear.pk).update(password="")

    # One-time commands, with what their author typed to log in.
    own = Credentials(scene.lab.routers[deploying.EDGE].user, scene.lab.routers[deploying.EDGE].password)
    extra = f"router bgp 64500\n neighbor 198.51.100.99 remote-as 64511\n neighbor 198.51.100.99 password {OF_COMMANDS}"
    assert scene.deploy(kind="commands", commands=extra, credentials=own).status == Status.DONE
    refused = (
        f"router bgp 64500\n neighbor 198.51.100.99 no-such-thing\n neighbor 300.1.1.1 password {REFUSED}"
    )
    assert scene.deploy(kind="commands", commands=refused, credentials=own).status == Status.FAILED
    wrong = Credentials(own.username, TYPED)
    assert (
        scene.deploy(kind="commands", commands="no router bgp 1", credentials=wrong).status == Status.FAILED
    )

    # A template that chokes on a password.
    template = scene.router.config_template
    choking = ConfigTemplate.objects.create(
        name="Choking", template_code="{% for s in sessions %}{{ s.password | integer(1, 2) }}{% endfor %}"
    )
    PeeringRouter.objects.update(config_template=choking)
    with pytest.raises(TemplateFailed) as failed:
        asking.request(scene.router, scene.user)
    assert SESSION_PASSWORD not in str(failed.value)
    PeeringRouter.objects.update(config_template=template)

    # A profile that the router does not accept.
    PeeringRouter.objects.update(credential_profile="wrong")
    assert scene.poll().status != "completed"
    assert scene.deploy().status == Status.FAILED
    PeeringRouter.objects.update(credential_profile="")

    # The router was changed by somebody else, with a password that NetBox does not know.
    node = scene.lab.nodes[deploying.EDGE]
    deploying.replace(scene.lab, configuration(node, list(scene.lab.nodes.values())))
    assert scene.deploy().status == Status.DONE
