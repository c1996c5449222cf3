"""POST render-config below both of its addresses: answers, refusals, permissions."""

import types

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import include, path, resolve, reverse

from dcim.models import Device
from extras.models import ConfigTemplate
from users.models import Token

from netbox_peering_manager.models import PeeringSession
from netbox_peering_manager.services.secrets import MASK
from tests import factories, shared
from tests.rendering import scenario

pytestmark = pytest.mark.django_db

ROOTS = ("peering-manager", "bgp")
UNSEEN = 999_999


made = shared.once(scenario.build)
net = shared.copy()


@pytest.fixture
def post(client):
    """Return a function that posts as a user, with a token that may write."""

    def post(user, body, root="peering-manager", accept="application/json", query="", write_enabled=True):
        token = Token(user=user, write_enabled=write_enabled)
        token.save()
        return client.post(
            f"/api/plugins/{root}/render-config/{query}",
            body,
            content_type="application/json",
            headers={"authorization": f"Bearer nbt_{token.key}.{token.token}", "accept": accept},
        )

    return post


# What comes back


@pytest.mark.parametrize("root", ROOTS)
def test_token_of_version_1_is_taken_as_well(net, client, root):
    token = Token(user=scenario.engineer(), version=1, write_enabled=True)
    token.save()
    response = client.post(
        f"/api/plugins/{root}/render-config/",
        {"template": net.template.pk, "device": net.device.pk},
        content_type="application/json",
        headers={"authorization": f"Token {token.token}", "accept": "application/json"},
    )
    assert (response.status_code, response.json()["session_count"]) == (200, 4)


@pytest.mark.parametrize("root", ROOTS)
def test_device_gives_all_of_its_sessions(net, post, root):
    response = post(
        scenario.engineer("view_session_secrets"),
        {"template": net.template.pk, "device": net.device.pk},
        root,
    )
    assert response.status_code == 200
    answer = response.json()
    assert set(answer) == {"configtemplate", "content", "device", "session_count", "secrets"}
    assert answer["session_count"] == 4
    assert answer["secrets"] == "clear"
    assert answer["content"].splitlines()[0] == f"198.51.100.42 64496 {scenario.OWN_PASSWORD}"
    assert (answer["configtemplate"]["id"], answer["configtemplate"]["name"]) == (net.template.pk, "peers")
    assert (answer["device"]["id"], answer["device"]["name"]) == (net.device.pk, "rt1.mtl")


def test_sessions_give_exactly_these_and_no_device(net, post):
    body = {"template": net.template.pk, "sessions": [net.in_vrf.pk, net.full.pk, net.full.pk]}
    answer = post(scenario.engineer(), body).json()
    assert answer["device"] is None
    assert answer["session_count"] == 2
    assert [line.split()[1] for line in answer["content"].splitlines()] == ["64496", "64496"]


def test_device_and_sessions_give_these_of_the_device(net, post):
    body = {"template": net.template.pk, "device": net.device.pk, "sessions": [net.full.pk]}
    answer = post(scenario.engineer(), body).json()
    assert (answer["device"]["id"], answer["session_count"]) == (net.device.pk, 1)


@pytest.mark.parametrize("root", ROOTS)
def test_plain_text_is_the_bare_text(net, post, root):
    body = {"template": net.template.pk, "sessions": [net.link_local.pk]}
    response = post(scenario.engineer(), body, root, "text/plain")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Cache-Control"] == "no-store"
    assert response.content.decode() == "fe80::2 4200000001 \n"


def test_json_is_not_kept_by_caches_either(net, post):
    assert (
        post(scenario.engineer(), {"template": net.template.pk, "device": net.device.pk})["Cache-Control"]
        == "no-store"
    )


@pytest.mark.parametrize(("query", "extra"), [("", {"include_context": True}), ("?include_context=true", {})])
def test_context_is_added_on_request_with_passwords_masked_equally(net, post, query, extra):
    body = {"template": net.template.pk, "device": net.device.pk, **extra}
    answer = post(scenario.engineer(), body, query=query).json()
    passwords = [session["password"] for session in answer["context"]["sessions"]]
    assert passwords == [MASK, MASK, "", MASK]
    assert answer["context"]["device"]["name"] == "rt1.mtl"
    assert not [password for password in scenario.PASSWORDS if password in str(answer)]


def test_template_left_out_is_that_of_the_peering_router(net, post):
    assert (
        post(scenario.engineer(), {"device": net.device.pk}).json()["configtemplate"]["id"] == net.template.pk
    )


def test_device_without_bgp_router_is_no_error(net, post):
    device = factories.make_device("lonely")
    answer = post(scenario.engineer(), {"template": net.template.pk, "device": device.pk}).json()
    assert (answer["session_count"], answer["content"], answer["secrets"]) == (0, "", "none")


def test_hostile_description_comes_out_as_it_is(net, post):
    net.template.template_code = "{{ sessions[0].description }}"
    net.template.save()
    answer = post(scenario.engineer(), {"device": net.device.pk}).json()
    assert answer["content"] == scenario.HOSTILE


# Refusals


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "__all__"),
        ({"device": None}, "__all__"),
        ([], "__all__"),
        ('"text"', "__all__"),
        ({"template": UNSEEN, "device": "own"}, "template"),
        ({"template": "x", "device": "own"}, "template"),
        ({"template": True, "device": "own"}, "template"),
        ({"template": [], "device": "own"}, "template"),
        ({"template": None, "device": "own"}, "template"),
        ({"template": "own", "device": UNSEEN}, "device"),
        ({"template": "own", "device": 10**30}, "device"),
        ({"template": "own", "device": -1}, "device"),
        ({"template": "own", "device": {}}, "device"),
        ({"template": "own", "device": "\x00"}, "device"),
        ({"template": "own", "sessions": []}, "sessions"),
        ({"template": "own", "sessions": None}, "sessions"),
        ({"template": "own", "sessions": 5}, "sessions"),
        ({"template": "own", "sessions": {"a": 1}}, "sessions"),
        ({"template": "own", "sessions": [UNSEEN]}, "sessions"),
        ({"template": "own", "sessions": ["x"]}, "sessions"),
        ({"template": "own", "sessions": [None]}, "sessions"),
        ({"template": "own", "sessions": [0]}, "sessions"),
        ({"template": "own", "sessions": [10**30]}, "sessions"),
        ({"template": "own", "device": "own", "include_context": "maybe"}, "include_context"),
        ({"sessions": [1]}, "template"),
    ],
)
def test_bad_input_names_its_field(post, body, field):
    device = factories.make_device()
    template = ConfigTemplate.objects.create(name="t", template_code="x")
    if isinstance(body, dict):
        own = {"template": template.pk, "device": device.pk}
        body = {name: own.get(name) if value == "own" else value for name, value in body.items()}
    user = scenario.user_with(superuser=True)
    for root in ROOTS:
        response = post(user, body, root)
        assert (response.status_code, list(response.json())) == (400, [field])
        text = post(user, body, root, "text/plain")
        assert text.status_code == 400
        assert text.content.decode().startswith(f"{field}: ")


def test_body_that_is_no_json_is_refused(net, client):
    token = Token(user=scenario.engineer(), write_enabled=True)
    token.save()
    response = client.post(
        "/api/plugins/peering-manager/render-config/",
        "{",
        content_type="application/json",
        headers={"authorization": f"Bearer nbt_{token.key}.{token.token}"},
    )
    assert response.status_code == 400


def test_template_is_needed_somewhere(net, post):
    user = scenario.engineer()
    assert "template" in post(user, {"sessions": [net.full.pk]}).json()
    net.router.config_template = None
    net.router.save()
    assert "rt1.mtl has no peering router" in str(post(user, {"device": net.device.pk}).json()["template"])
    net.router.delete()
    assert "rt1.mtl has no peering router" in str(post(user, {"device": net.device.pk}).json()["template"])


def test_session_of_another_device_is_refused(net, post):
    other = factories.make_device("rt2.mtl")
    response = post(
        scenario.engineer(), {"template": net.template.pk, "device": other.pk, "sessions": [net.full.pk]}
    )
    assert response.status_code == 400
    assert response.json() == {"sessions": [f"Session {net.full.pk} is not on rt2.mtl."]}


@pytest.mark.parametrize("root", ROOTS)
def test_failing_template_is_422_with_its_line_and_no_text(net, post, root):
    net.template.template_code = "first line\n{{ sessions[0].nope }}"
    net.template.save()
    response = post(scenario.engineer(), {"device": net.device.pk}, root)
    assert response.status_code == 422
    assert response.json() == {
        "detail": "peers, line 2: 'dict object' has no attribute 'nope'",
        "template": "peers",
        "line": 2,
        "message": "'dict object' has no attribute 'nope'",
    }
    text = post(scenario.engineer(), {"device": net.device.pk}, root, "text/plain")
    assert text.status_code == 422
    assert "first line" not in text.content.decode()
    assert "line: 2" in text.content.decode()


def test_password_that_no_key_fits_is_422(net, post):
    PeeringSession.objects.filter(pk=net.full.pk).update(encrypted_password="gibberish")
    response = post(scenario.engineer("view_session_secrets"), {"device": net.device.pk})
    assert response.status_code == 422
    assert "session full" in response.json()["detail"]


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post_is_answered(net, client, method):
    token = Token(user=scenario.engineer(), write_enabled=True)
    token.save()
    response = getattr(client, method)(
        "/api/plugins/peering-manager/render-config/",
        headers={"authorization": f"Bearer nbt_{token.key}.{token.token}"},
    )
    assert response.status_code == 405


# Permissions


@pytest.mark.parametrize("root", ROOTS)
def test_anonymous_and_session_users_are_refused(net, client, root):
    address = f"/api/plugins/{root}/render-config/"
    body = {"template": net.template.pk, "device": net.device.pk}
    assert client.post(address, body, content_type="application/json").status_code in (401, 403)
    client.force_login(scenario.engineer())
    assert client.post(address, body, content_type="application/json").status_code == 403


def test_token_that_may_only_read_is_refused(net, post):
    assert post(scenario.engineer(), {"device": net.device.pk}, write_enabled=False).status_code == 403


@pytest.mark.parametrize("root", ROOTS)
def test_what_one_may_not_see_is_answered_like_what_is_not_there(net, post, root):
    """For each field: the answer to an invisible id and to an unknown one differ in nothing but the id."""
    nobody = scenario.user_with()
    for field, thing in (("template", net.template), ("device", net.device)):
        answers = [post(nobody, {field: pk}, root).json()[field] for pk in (thing.pk, UNSEEN)]
        assert str(answers[0]).replace(f'"{thing.pk}"', "ID") == str(answers[1]).replace(f'"{UNSEEN}"', "ID")
    blind = scenario.engineer(constraints={"pk": 0})
    answers = [
        post(blind, {"template": net.template.pk, "sessions": [pk]}, root).json()["sessions"][0]
        for pk in (net.full.pk, UNSEEN)
    ]
    assert answers[0].replace(str(net.full.pk), "ID") == answers[1].replace(str(UNSEEN), "ID")


@pytest.mark.parametrize("actions", [("view",), ("render",)])
def test_template_needs_render_and_view(net, post, actions):
    user = scenario.user_with((ConfigTemplate, actions), (Device, ("view",)), (PeeringSession, ("view",)))
    response = post(user, {"template": net.template.pk, "device": net.device.pk})
    assert (response.status_code, list(response.json())) == (400, ["template"])
    # Nor does the peering router lend it.
    assert "template" in post(user, {"device": net.device.pk}).json()


def test_constrained_render_permission_holds(net, post):
    user = scenario.user_with(
        (ConfigTemplate, ("view",)), (ConfigTemplate, ("render",), {"name": "other"}), (Device, ("view",))
    )
    assert post(user, {"template": net.template.pk, "device": net.device.pk}).status_code == 400
    ConfigTemplate.objects.update(name="other")
    assert post(user, {"template": net.template.pk, "device": net.device.pk}).status_code == 200


def test_sessions_that_one_may_not_view_are_left_out_of_the_device(net, post):
    user = scenario.engineer(constraints={"service_reference": "T1"})
    answer = post(user, {"device": net.device.pk}).json()
    assert answer["session_count"] == 1
    assert answer["content"].startswith("198.51.100.42 64496")
    hidden = post(user, {"template": net.template.pk, "sessions": [net.full.pk, net.bare.pk]})
    assert hidden.json() == {"sessions": [f"There is no session with ID {net.bare.pk}."]}


def test_no_right_to_view_sessions_gives_none(net, post):
    user = scenario.user_with((ConfigTemplate, ("view", "render")), (Device, ("view",)))
    assert post(user, {"device": net.device.pk}).json()["session_count"] == 0


def test_passwords_are_masked_one_by_one(net, post):
    user = scenario.user_with(
        (ConfigTemplate, ("view", "render")),
        (Device, ("view",)),
        (PeeringSession, ("view",)),
        (PeeringSession, ("view_session_secrets",), {"service_reference": "T1"}),
    )
    answer = post(user, {"device": net.device.pk}).json()
    assert answer["secrets"] == "masked"
    assert [line.split()[-1] for line in answer["content"].splitlines()] == [
        scenario.OWN_PASSWORD,
        MASK,
        "4200000001",
        MASK,
    ]
    assert post(user, {"template": net.template.pk, "sessions": [net.full.pk]}).json()["secrets"] == "clear"
    assert (
        post(user, {"template": net.template.pk, "sessions": [net.link_local.pk]}).json()["secrets"] == "none"
    )


def test_seeing_secrets_without_seeing_sessions_gives_nothing(net, post):
    user = scenario.user_with(
        (ConfigTemplate, ("view", "render")), (Device, ("view",)), (PeeringSession, ("view_session_secrets",))
    )
    answer = post(user, {"device": net.device.pk}).json()
    assert (answer["session_count"], answer["content"]) == (0, "")


# Cost


def test_whole_request_stays_within_25_queries(net, post):
    user = scenario.engineer("view_session_secrets", constraints={"relationship__slug": "peer"})
    post(user, {"device": net.device.pk})
    with CaptureQueriesContext(connection) as captured:
        response = post(user, {"template": net.template.pk, "device": net.device.pk})
    assert response.status_code == 200
    # Two of these make the token that the request uses.
    assert len(captured) - 2 <= 25


# netbox-bgp's address


def test_bgp_address_is_left_to_netbox_bgp_when_it_is_installed(monkeypatch):
    from netbox_peering_manager.api import urls

    patterns = []
    monkeypatch.setattr(urls, "apps", types.SimpleNamespace(is_installed=lambda name: name == "netbox_bgp"))
    urls.answer_for_netbox_bgp(patterns)
    assert patterns == []
    monkeypatch.setattr(urls, "apps", apps)
    urls.answer_for_netbox_bgp(patterns)
    assert len(patterns) == 1


def test_both_addresses_are_the_same_view():
    views = {resolve(f"/api/plugins/{root}/render-config/").func.cls for root in ROOTS}
    assert len(views) == 1
    assert (
        reverse("plugins-api:netbox_peering_manager-api:render-config")
        == "/api/plugins/peering-manager/render-config/"
    )


def test_schema_describes_the_action():
    from drf_spectacular.generators import SchemaGenerator

    from netbox_peering_manager.api.urls import urlpatterns

    # The plugin's addresses alone: describing all of NetBox takes half a minute.
    patterns = [path("plugins/peering-manager/", include(urlpatterns))]
    schema = SchemaGenerator(patterns=patterns).get_schema(request=None, public=True)
    post = schema["paths"]["/plugins/peering-manager/render-config/"]["post"]
    assert set(post["responses"]) == {"200", "400", "422"}
    body = post["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
    assert set(schema["components"]["schemas"][body]["properties"]) == {
        "template",
        "device",
        "sessions",
        "include_context",
    }
