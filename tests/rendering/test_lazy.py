"""`peering(device)` inside NetBox's own templates, asked through NetBox's own Render Config."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dcim.models import Device
from extras.models import ConfigTemplate
from netbox.context import current_request
from users.models import Token

from netbox_peering_manager.exceptions import RenderingError, TemplateFailed
from netbox_peering_manager.models import PeeringSession
from netbox_peering_manager.services.rendering.lazy import LazyPeering
from netbox_peering_manager.services.secrets import MASK
from tests import factories, shared
from tests.rendering import scenario

pytestmark = pytest.mark.django_db
made = shared.once(scenario.build)
net = shared.copy()


def host(code):
    return ConfigTemplate.objects.create(name="host", template_code=code)


@pytest.fixture
def render(net, client):
    """Return a function that renders a template with NetBox's own endpoint of the device."""

    def render(code, user):
        token = Token(user=user, write_enabled=True)
        token.save()
        return client.post(
            f"/api/dcim/devices/{net.device.pk}/render-config/",
            {"config_template_id": host(code).pk},
            content_type="application/json",
            headers={"authorization": f"Bearer nbt_{token.key}.{token.token}"},
        )

    return render


def operator(*session_actions, constraints=None):
    return scenario.user_with(
        (Device, ("view", "render_config")),
        (ConfigTemplate, ("view",)),
        (PeeringSession, ("view", *session_actions), constraints),
    )


def test_text_is_rendered_with_the_template_of_the_peering_router(net, render):
    answer = render(
        "hostname {{ device.name }}\n{{ peering(device) }}!", operator("view_session_secrets")
    ).json()
    lines = answer["content"].splitlines()
    assert lines[:2] == ["hostname rt1.mtl", f"198.51.100.42 64496 {scenario.OWN_PASSWORD}"]
    assert lines[-1] == "!"


def test_attributes_are_the_context(render):
    code = "{% for s in peering(device).sessions %}{{ s.remote_ip }} {% endfor %}"
    code += "{{ peering(device).route_maps[0].name }}"
    content = render(code, operator()).json()["content"]
    assert content == "198.51.100.42 198.51.100.43 fe80::2 198.51.100.42 GROUP"


def test_passwords_and_sessions_are_those_of_the_user_who_asks(render):
    content = render("{{ peering(device) }}", operator(constraints={"service_reference": "T1"})).json()[
        "content"
    ]
    assert content == f"198.51.100.42 64496 {MASK}\n"


def test_user_without_rights_on_sessions_gets_none(render):
    user = scenario.user_with((Device, ("view", "render_config")), (ConfigTemplate, ("view",)))
    assert render("<{{ peering(device) }}>", user).json()["content"] == "<>"


def test_without_a_request_all_sessions_are_rendered_and_passwords_masked(net):
    assert current_request.get() is None
    text = host("{{ peering(device) }}").render({"device": net.device})
    assert [line.split()[-1] for line in text.splitlines()] == [MASK, MASK, "4200000001", MASK]


def test_nothing_is_queried_until_it_is_used(net):
    with CaptureQueriesContext(connection) as captured:
        LazyPeering()(net.device)
        assert len(captured) == 0
        bound = LazyPeering()(net.device)
        first, second = bound.sessions, bound.peer_groups
    assert len(captured) <= 25
    assert (len(first), len(second)) == (4, 1)


def test_failing_template_fails_the_host(net, render):
    net.template.template_code = "partial\n{{ nope }}"
    net.template.save()
    response = render("before {{ peering(device) }} after", operator())
    assert response.status_code == 500
    assert "peers, line 2: 'nope' is undefined" in response.json()["detail"]
    assert "partial" not in response.content.decode()
    with pytest.raises(TemplateFailed):
        host("{{ peering(device) }}").render({"device": net.device})


@pytest.mark.parametrize(
    "code",
    [
        "{{ peering(device)._device_id }}",
        "{{ peering(device)._gathered }}",
        "{{ peering(device).__class__ }}",
        "{{ peering(device)|attr('_gathered') }}",
        "{{ peering.__call__.__globals__ }}",
        "{{ peering.__class__.__mro__ }}",
        "{{ peering(device).sessions.__class__ }}",
    ],
)
def test_sandbox_keeps_everything_but_plain_values(render, code):
    response = render(code, operator("view_session_secrets"))
    assert response.status_code == 500 or response.json()["content"] == ""


def test_names_that_are_not_of_the_context_are_undefined(net):
    assert host("{{ peering(device).device_id is defined }}").render({"device": net.device}) == "False"


@pytest.mark.parametrize(
    "code", ["{{ peering }}", "{{ peering(1) }}", "{{ peering('rt1') }}", "{{ peering(none) }}"]
)
def test_wrong_use_says_how_it_is_used(net, code):
    with pytest.raises(RenderingError, match="peering\\(device\\)"):
        host(code).render({"device": net.device})


def test_device_without_template_says_so(net):
    device = factories.make_device("lonely")
    with pytest.raises(RenderingError, match="lonely has no peering router with a config template"):
        host("{{ peering(device) }}").render({"device": device})
    assert host("{{ peering(device).sessions }}").render({"device": device}) == "[]"


def test_device_that_the_user_may_not_view_is_refused(net, render):
    hidden = factories.make_device("hidden")
    user = scenario.user_with(
        (Device, ("view", "render_config"), {"name": net.device.name}), (ConfigTemplate, ("view",))
    )
    response = render(f"{{{{ peering(dcim.Device.objects.get(pk={hidden.pk})).sessions }}}}", user)
    assert response.status_code == 500
    assert f"There is no device with ID {hidden.pk}." in response.json()["detail"]
