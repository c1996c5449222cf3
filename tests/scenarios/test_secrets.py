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
import requests
from django.conf import settings
from requests import Response

from core.models import Job, ObjectType
from extras.choices import EventRuleActionChoices
from extras.models import ConfigTemplate, EventRule, Webhook
from netbox.registry import registry
from users.models import Token, User

from dev.lab.plan import SESSION_PASSWORD
from dev.lab.texts import router_with_sessions
from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.exceptions import TemplateFailed
from netbox_peering_manager.jobs.deployments import DeploymentJob
from netbox_peering_manager.jobs.drift import DriftJob
from netbox_peering_manager.jobs.monitoring import start_polls
from netbox_peering_manager.jobs.peeringdb import PeeringDBSyncJob
from netbox_peering_manager.jobs.takeover import ImportSessionsJob, ReadSessionsJob
from netbox_peering_manager.models import (
    Deployment,
    PeeringRouter,
    PeeringSession,
    Relationship,
    RouterState,
    SessionState,
)
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.deployment import asking
from netbox_peering_manager.services.devices.credentials import Credentials
from netbox_peering_manager.services.takeover import kept
from netbox_peering_manager.services.takeover.plan import plan_import
from netbox_peering_manager.services.takeover.planned import Choices, Update
from netbox_peering_manager.services.tracking import recorded, request_of
from netbox_peering_manager.settings import PLUGIN
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
TO_ENABLE = "Marker-to-enable"
ENCRYPTION_KEY = "Marker-that-encrypts"
API_KEY = "Marker-for-PeeringDB"
OVER_REST = "Marker-posted-to-REST"
OVER_FORM = "Marker-posted-to-a-form"
TYPED_OVER_REST = "Marker-typed-over-REST"
TYPED_OVER_FORM = "Marker-typed-over-a-form"
FOREIGN = "Marker-that-somebody-else-gave-the-router"
# Whoever it is has a session with our router that NetBox does not know.
STRANGER = "198.51.100.98"
ENDED = ("completed", "errored", "failed")


@dataclass
class Scene:
    """A NetBox with its worker, a lab, and what was planted."""

    site: object
    lab: object
    told: list[bytes]
    # With what PeeringDB was asked: the header that holds the key.
    keys: list[str]
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

    def posted(self, status: str, response: Response, *shown: str):
        """See how the deployment ends that a post asked for. None of `shown` is in what was answered."""
        assert response.ok, response.text
        assert [marker for marker in shown if marker in response.text] == []
        deployment = Deployment.objects.latest("pk")
        self.wait(Job.objects.filter(object_id=deployment.pk, name=DeploymentJob.name).latest("pk"))
        deployment.refresh_from_db()
        assert deployment.status == status, deployment.reason

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
    files = {
        "password": OF_PROFILE,
        "passphrase": PASSPHRASE,
        "key": locked_key(first.key_file, folder),
        "enable": TO_ENABLE,
        "encryption": ENCRYPTION_KEY,
        "peeringdb": API_KEY,
    }
    for name, content in files.items():
        (folder / name).write_text(content)
    source = {name: {"file": str(folder / name)} for name in files}
    shared = {"encryption_keys": [source["encryption"]], "default_rir": "documentation"}
    with listening() as (address, told, keys):
        values = shared | {
            "known_hosts": first.known_hosts,
            "device_timeout_s": 8,
            "poll_interval": 0,
            "peeringdb_url": address,
            "peeringdb_api_key": source["peeringdb"],
            "credential_profiles": {
                "default": {
                    "username": first.user,
                    **{name: source[name] for name in ("key", "passphrase")},
                    "enable_secret": source["enable"],
                },
                "wrong": {"username": first.user, "password": source["password"]},
            },
        }
        site = running_site(
            "secrets", django_db_blocker, with_worker=True, NPM_SETTINGS=json.dumps(values), NPM_LOG="DEBUG"
        )
        with site as running, running.data(), pytest.MonkeyPatch.context() as patch:
            # What is encrypted here is decrypted there.
            for name, value in shared.items():
                patch.setitem(settings.PLUGINS_CONFIG[PLUGIN], name, value)
            deploying.empty(lab)
            deploying.build(lab, (WITH_PASSWORD, WITHOUT))
            hear_everything(address)
            yield Scene(running, lab, told, keys, {"key": files["key"].splitlines()[2]})


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
    """
    A server that keeps the bodies of what is posted to it, and takes nobody's key. Yields its address, those bodies,
    and with which keys it was asked.
    """
    told: list[bytes] = []
    keys: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def do_GET(self):
            keys.append(self.headers.get("Authorization", ""))
            self.send_response(401)
            self.end_headers()
            self.wfile.write(b'{"meta": {"error": "Invalid API key"}}')

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", told, keys
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
        *(
            SESSION_PASSWORD,
            CHANGED,
            IN_CLEAR,
            OF_COMMANDS,
            REFUSED,
            TYPED,
            OF_PROFILE,
            PASSPHRASE,
            TO_ENABLE,
        ),
        *(ENCRYPTION_KEY, API_KEY, OVER_REST, OVER_FORM, TYPED_OVER_REST, TYPED_OVER_FORM, FOREIGN),
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
    passwords_of_sessions(scene)
    commands_with_typed_logins(scene)
    commands_over_http(scene)
    template_that_chokes(scene)
    profile_that_is_refused(scene)
    router_of_somebody_else(scene)
    peeringdb_that_refuses_the_key(scene)


def passwords_of_sessions(scene: Scene):
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
    deployment = scene.deploy(sessions=[scene.session(WITHOUT).pk])
    assert "password ****" in deployment.masked_diff
    assert deployment.status in (Status.ROLLED_BACK, Status.DONE)
    type(clear).objects.filter(pk=clear.pk).update(password="")


def commands_with_typed_logins(scene: Scene):
    own = Credentials(scene.lab.routers[deploying.EDGE].user, scene.lab.routers[deploying.EDGE].password)
    assert (
        scene.deploy(kind="commands", commands=neighbor(OF_COMMANDS), credentials=own).status == Status.DONE
    )
    refused = (
        f"router bgp 64500\n neighbor 198.51.100.99 no-such-thing\n neighbor 300.1.1.1 password {REFUSED}"
    )
    assert scene.deploy(kind="commands", commands=refused, credentials=own).status == Status.FAILED
    wrong = Credentials(own.username, TYPED)
    assert (
        scene.deploy(kind="commands", commands="no router bgp 1", credentials=wrong).status == Status.FAILED
    )


def neighbor(password: str) -> str:
    """The commands that add a neighbour that nobody knows, or give it another password."""
    return (
        "router bgp 64500\n neighbor 198.51.100.99 remote-as 64511\n"
        f" neighbor 198.51.100.99 password {password}"
    )


def commands_over_http(scene: Scene):
    """Over REST and by a form: with the right login, with a wrong one, and not as they have to be."""
    login = scene.lab.routers[deploying.EDGE]
    path = f"api/plugins/peering-manager/routers/{scene.router.pk}/commands/"
    token = Token.objects.create(user=scene.user)
    by_token = {"Authorization": f"{token.get_auth_header_prefix()}{token.token}"}

    def post(**given):
        return requests.post(f"{scene.site.url}/{path}", json=given, headers=by_token, timeout=PATIENCE_S)

    right = {"commands": neighbor(OVER_REST), "username": login.user, "password": login.password}
    scene.posted(Status.DONE, post(**right), OVER_REST, login.password)
    scene.posted(Status.FAILED, post(**right | {"password": TYPED_OVER_REST}), OVER_REST)
    refused = post(commands=neighbor(OVER_REST), password=TYPED_OVER_REST)
    assert refused.status_code == 400, refused.text
    assert TYPED_OVER_REST not in refused.text

    path = f"plugins/peering-manager/routers/{scene.router.pk}/config-manager/"
    browser = logged_in(scene)
    right |= {"commands": neighbor(OVER_FORM)}
    scene.posted(Status.DONE, submit(browser, scene, path, **right), OVER_FORM)
    wrong = right | {"password": TYPED_OVER_FORM}
    scene.posted(Status.FAILED, submit(browser, scene, path, **wrong), OVER_FORM)
    count = Deployment.objects.count()
    refused = submit(browser, scene, path, **wrong | {"username": ""})
    assert (refused.status_code, Deployment.objects.count()) == (200, count)
    assert TYPED_OVER_FORM not in refused.text


def logged_in(scene: Scene) -> requests.Session:
    browser = requests.Session()
    submit(browser, scene, "login/", username=scene.site.username, password=scene.site.password)
    assert "sessionid" in browser.cookies
    return browser


def submit(browser: requests.Session, scene: Scene, path: str, **fields: str) -> Response:
    """Open a page with a form, fill it in and submit it. Returns the page that follows."""
    url = f"{scene.site.url}/{path}"
    opened = browser.get(url, timeout=PATIENCE_S)
    assert opened.ok, opened.text
    return browser.post(
        url,
        data=fields | {"csrfmiddlewaretoken": browser.cookies["csrftoken"]},
        headers={"Referer": url},
        timeout=PATIENCE_S,
    )


def template_that_chokes(scene: Scene):
    """On a password."""
    template = scene.router.config_template
    choking = ConfigTemplate.objects.create(
        name="Choking", template_code="{% for s in sessions %}{{ s.password | integer(1, 2) }}{% endfor %}"
    )
    PeeringRouter.objects.update(config_template=choking)
    with pytest.raises(TemplateFailed) as failed:
        asking.request(scene.router, scene.user)
    assert SESSION_PASSWORD not in str(failed.value)
    PeeringRouter.objects.update(config_template=template)


def profile_that_is_refused(scene: Scene):
    PeeringRouter.objects.update(credential_profile="wrong")
    assert scene.poll().status != "completed"
    assert scene.deploy().status == Status.FAILED
    PeeringRouter.objects.update(credential_profile="")


def router_of_somebody_else(scene: Scene):
    """
    The router was changed by somebody else, with passwords that NetBox does not know: compared, read, imported,
    deployed.
    """
    node, known = scene.lab.nodes[deploying.EDGE], scene.lab.nodes[f"as{WITH_PASSWORD}"].addresses[0]
    text = router_with_sessions(node, list(scene.lab.nodes.values()), {WITHOUT})
    theirs = f" neighbor {STRANGER} remote-as 64511\n neighbor {STRANGER} password {FOREIGN}\n"
    theirs += f" neighbor {known} remote-as {WITH_PASSWORD}\n neighbor {known} password {FOREIGN}\n"
    beginning = f"router bgp {node.asn}\n"
    assert beginning in text
    deploying.replace(scene.lab, text.replace(beginning, beginning + theirs))

    assert scene.wait(DriftJob.start(scene.router, scene.user)).status == "completed"
    found = RouterState.objects.get()
    assert found.drift == "differs"
    assert f"neighbor {known} password ****" in found.masked_diff

    reading = scene.wait(ReadSessionsJob.start(scene.router, scene.user))
    assert reading.status == "completed", reading.error
    peer = Relationship.objects.get(slug="peer").pk
    choices = Choices(lan=peer, others=peer, without_policies=True, update=Update.ALL)
    plan = plan_import(scene.router, kept.look(str(reading.job_id), scene.router), choices, scene.user)
    job = ImportSessionsJob.start(scene.router, reading, plan.reviewed(), choices, scene.user, at_once=False)
    assert scene.wait(job).status == "completed", job.error
    stranger = PeeringSession.objects.get(bgp_peer__peer__address__net_host=STRANGER)
    for session in (stranger, scene.session(WITH_PASSWORD)):
        assert secrets.reveal_password(session) == FOREIGN

    scene.set_password(WITH_PASSWORD, SESSION_PASSWORD)
    assert scene.deploy().status == Status.DONE


def peeringdb_that_refuses_the_key(scene: Scene):
    assert scene.wait(PeeringDBSyncJob.enqueue(user=scene.user)).status != "completed"
    assert any(API_KEY in key for key in scene.keys)
