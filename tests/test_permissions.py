"""
Every address of the plugin, found by walking the URL patterns, as each kind of user: a new one cannot be forgotten.

Anonymous users are sent to the login (pages) or refused (REST). A user without rights gets nothing of any object. A
user who may only view gets pages, and is refused every change. A user whose permissions are constrained to other
objects is answered as if the object did not exist.
"""

import re
import uuid

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from core.models import Job, ObjectChange, ObjectType
from dcim.models import Device
from extras.models import ConfigTemplate
from ipam.models import IPAddress
from netbox_routing.models import BGPPeer
from users.models import ObjectPermission

from netbox_peering_manager import models
from tests import factories
from tests.monitoring.observed import unknown

pytestmark = pytest.mark.django_db

APP = "netbox_peering_manager"
PREFIXES = ("plugins/peering-manager/", "api/plugins/peering-manager/", "api/plugins/bgp/")
MARK = "TOP-OF-SECRET"
NOT_FOUND, FORBIDDEN, LOGIN = 404, 403, 302
# Answers that hold nothing of an object: the API root lists addresses, formats are those of the root.
OPEN_TO_EVERY_USER = {"/api/plugins/peering-manager/"}
# These show a user who may view what somebody with more rights could change there, and change nothing themselves.
SHOWN_BEFORE_IT_IS_DONE = {"/plugins/peering-manager/peeringdb/drift/repair/"}
# Of deleted sessions nothing is left that a constraint could be held against: whoever has one is refused outright.
FOR_WHO_MAY_VIEW_EVERY_SESSION = ("removed-sessions/", "remove-sessions/")


def walk(patterns, prefix=""):
    for entry in patterns:
        route = prefix + re.sub(r"[\^$]|\\Z", "", str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from walk(entry.url_patterns, route)
        elif isinstance(entry, URLPattern):
            yield route


def every_route():
    """The plugin's routes, as text with their parameters, once each; those with a format suffix are left out."""
    routes = {route for route in walk(get_resolver().url_patterns) if route.startswith(PREFIXES)}
    plugin_tabs = {
        route
        for route in walk(get_resolver().url_patterns)
        if route.startswith("dcim/devices/") and "peering" in route
    }
    return sorted(
        route for route in routes | plugin_tabs if "format" not in route and "drf_format" not in route
    )


@pytest.fixture
def network():
    """One object of each model, related, marked so that they are recognized in any answer."""
    connection = factories.make_connection(bgp_scope=factories.make_scope(), description=MARK)
    bgp_peer = factories.make_bgp_peer(
        scope=connection.bgp_scope, source=connection.ipv4_address, families=("ipv4-unicast",), name=MARK
    )
    relationship = factories.make_relationship(MARK)
    session = factories.make_session(bgp_peer, relationship, connection.peering_network, description=MARK)
    device = connection.interface.device
    template = ConfigTemplate.objects.create(name=MARK, template_code="{{ sessions | length }}")
    router = models.PeeringRouter.objects.create(device=device, config_template=template, description=MARK)
    return {
        "peeringfabric": connection.peering_network.fabric,
        "peeringnetwork": connection.peering_network,
        "peeringconnection": connection,
        "peerasn": factories.make_peer_asn(64496, name=MARK),
        "hiddenpeer": models.HiddenPeer.objects.create(asn=64499, reason=MARK),
        "relationship": relationship,
        "peeringsession": session,
        "peeringrouter": router,
        "unknownneighbor": unknown(router, description=MARK),
        "deploymentbatch": models.DeploymentBatch.objects.create(
            stopped=timezone.now(), stopped_because=MARK, asked=[{"router": 1, "name": MARK, "reason": MARK}]
        ),
        "deployment": models.Deployment.objects.create(
            router=router, mode="merge", masked_text=MARK, masked_diff=f"+{MARK}", reason=MARK
        ),
        "device": device,
        "job": Job.objects.create(name=MARK, job_id=uuid.uuid4()),
        "peeringdbsync": models.PeeringDBSync.objects.create(mode="full", status="completed", message=MARK),
        "peeringdbrefusedrow": models.PeeringDBRefusedRow.objects.create(
            tag="net", reason=MARK, row={}, seen=timezone.now()
        ),
        "peeringdbdrift": models.PeeringDBDrift.objects.create(
            kind="port-not-operational",
            object_type=ContentType.objects.get_for_model(session),
            object_id=session.pk,
            details={"address": MARK, "asn": 64496},
        ),
    }


KINDS = {
    "fabrics": "peeringfabric",
    "networks": "peeringnetwork",
    "connections": "peeringconnection",
    "peer-asns": "peerasn",
    "hidden-peers": "hiddenpeer",
    "relationships": "relationship",
    "sessions": "peeringsession",
    "routers": "peeringrouter",
    "deployments": "deployment",
    "deployment-batches": "deploymentbatch",
    "devices": "device",
    "jobs": "job",
    "syncs": "peeringdbsync",
    "refused": "peeringdbrefusedrow",
    "drift": "peeringdbdrift",
    "unknown-neighbors": "unknownneighbor",
}


def address_of(route, network):
    """The address that a route has for the test's objects."""
    kind = KINDS.get(next((part for part in route.split("/") if part in KINDS), ""))
    if "<" not in route and "(?P" not in route:
        return "/" + route
    assert kind, f"no object is known for {route}: add it to the test"
    return "/" + re.sub(r"<[^>]+>|\(\?P<[^)]+\)", str(network[kind].pk), route)


def user_with(*actions, constraints=None, of=None):
    """
    A user who may do these actions to what the constraints fit.

    Of the plugin's models and devices, or of the object types in `of`.
    """
    user = get_user_model().objects.create_user(
        username=f"user-{'-'.join(actions[:1]) or 'nobody'}-{bool(constraints)}"
    )
    if actions:
        permission = ObjectPermission.objects.create(
            name=user.username, actions=list(actions), constraints=constraints
        )
        permission.users.add(user)
        ours = [*ObjectType.objects.filter(app_label=APP), ObjectType.objects.get_for_model(Device)]
        permission.object_types.set(ours if of is None else of)
    return user


def every_action():
    """What a permission can grant for the plugin's models and for devices: NetBox's own and those of our models."""
    ours = {
        name for model in apps.get_app_config(APP).get_models() for name, _label in model._meta.permissions
    }
    return ("view", "add", "change", "delete", "render", *sorted(ours))


def client_for(user):
    client = Client(raise_request_exception=True)
    client.force_login(user)
    return client


# NetBox's own import form expects these of every POST; all other addresses ignore them.
FORM = {"format": "csv", "import_method": "direct", "csv_delimiter": ",", "data": "name"}


def form_for(route, network):
    """What is posted to an address: the form, with the test's object of that kind as the one that was chosen."""
    kind = KINDS.get(next((part for part in route.split("/") if part in KINDS), ""))
    return {**FORM, "pk": network[kind].pk, "_confirm": "1", "confirm": "true"} if kind else FORM


def is_api(address):
    return address.startswith("/api/")


def holds(response):
    return MARK in response.content.decode(errors="replace")


def test_walk_finds_the_plugins_addresses():
    routes = every_route()
    assert len(routes) > 60
    assert {"plugins/peering-manager/sessions/", "plugins/peering-manager/fabrics/<int:pk>/"} <= set(routes)
    assert any(route.startswith("api/plugins/bgp/") for route in routes)


@pytest.mark.parametrize("method", ["get", "post"])
def test_anonymous_is_sent_away_from_every_address(network, method):
    client = Client()
    for route in every_route():
        address = address_of(route, network)
        response = getattr(client, method)(address, FORM if method == "post" else {})
        if is_api(address):
            # An address that does not take the method may say so before it looks at who asks.
            assert response.status_code in (401, FORBIDDEN, 405), (
                f"{method} {address}: {response.status_code}"
            )
        else:
            assert response.status_code in (LOGIN, 405), f"{method} {address}: {response.status_code}"
            assert response.status_code == 405 or "/login/" in response["Location"], address
        assert not holds(response), address


@pytest.mark.parametrize("method", ["get", "post"])
def test_user_without_rights_learns_nothing_from_any_address(network, method):
    client = client_for(user_with())
    for route in every_route():
        address = address_of(route, network)
        response = getattr(client, method)(address, FORM if method == "post" else {})
        assert not holds(response), f"{method} {address}"
        if address not in OPEN_TO_EVERY_USER:
            assert response.status_code in (400, FORBIDDEN, NOT_FOUND, 405), (
                f"{method} {address}: {response.status_code}"
            )


def test_user_who_may_view_can_open_pages_and_change_nothing(network):
    client = client_for(user_with("view"))
    before, counted = snapshot(network), counts()
    for route in every_route():
        address = address_of(route, network)
        seen = client.get(address)
        assert seen.status_code in (200, LOGIN, 400, FORBIDDEN, NOT_FOUND, 405), (
            f"get {address}: {seen.status_code}"
        )
        if is_api(address):
            tried = ("post", "put", "patch", "delete")
            sent = {"data": "{}", "content_type": "application/json"}
        else:
            # Pages know no other way to change something than a POST.
            tried, sent = ("post",), {"data": form_for(route, network)}
        for method in tried:
            response = getattr(client, method)(address, **sent)
            # A form may go back to where it came from, if nothing was made.
            refused = response.status_code in (400, 401, FORBIDDEN, NOT_FOUND, 405) or (
                response.status_code == LOGIN and ("/login/" in response["Location"] or counts() == counted)
            )
            shown = response.status_code == 200 and address in SHOWN_BEFORE_IT_IS_DONE
            assert refused or shown, f"{method} {address}: {response.status_code}"
    assert snapshot(network) == before


def test_user_whose_permissions_fit_other_objects_learns_nothing(network):
    # Every action on everything: what refuses for want of an action does not show that it heeds constraints.
    client = client_for(user_with(*every_action(), constraints={"pk": 0}, of=ObjectType.objects.all()))
    owner = client_for(get_user_model().objects.create_superuser("owner"))
    before = snapshot(network)
    for route in every_route():
        address = address_of(route, network)
        for method in ("get", "post"):
            form = form_for(route, network) if method == "post" else {}
            response = getattr(client, method)(address, form)
            assert not holds(response), f"{method} {address}"
            assert response.status_code != 500, f"{method} {address}"
            if "<" not in route and "(?P" not in route:
                continue
            if response.status_code == FORBIDDEN and not address.endswith(FOR_WHO_MAY_VIEW_EVERY_SESSION):
                # REST looks at rights before methods: so for a method that nobody can use, and for no other.
                response = getattr(owner, method)(address, form)
                assert response.status_code in (FORBIDDEN, 405), (
                    f"{method} {address} wants an action that was not granted"
                )
            assert response.status_code in (FORBIDDEN, NOT_FOUND, 405, 400), (
                f"{method} {address}: {response.status_code}"
            )
    assert snapshot(network) == before


def snapshot(network):
    """What the objects hold now and how many there are, to see that nothing was changed, made or deleted."""
    held = {
        name: type(instance).objects.filter(pk=instance.pk).values().first()
        for name, instance in network.items()
    }
    return held, counts()


def counts():
    """How many rows each model has that a request to the plugin could make."""
    made = (*apps.get_app_config(APP).get_models(), Job, ObjectChange, BGPPeer, IPAddress)
    return {model._meta.label: model.objects.count() for model in made}
