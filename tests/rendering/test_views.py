"""The rendering pages: the device's tab and the session's."""

import re

import pytest

from core.models import ObjectChange
from dcim.models import Device
from extras.models import ConfigTemplate
from netbox_routing.models import BGPRouter

from netbox_peering_manager.models import PeeringSession
from netbox_peering_manager.services.secrets import MASK
from tests import factories, shared
from tests.queries import queries_of
from tests.rendering import scenario

pytestmark = pytest.mark.django_db
made = shared.once(scenario.build)
net = shared.copy()


@pytest.fixture
def get(client):
    """Return a function that opens a page as a user."""

    def get(user, address):
        client.force_login(user)
        return client.get(address)

    return get


def device_page(device, query=""):
    return f"/dcim/devices/{device.pk}/peering-config/{query}"


def session_page(session, query=""):
    return f"/plugins/peering-manager/sessions/{session.pk}/render/{query}"


def text_of(response):
    """The rendered text that the page shows, as the reader sees it; None when there is none."""
    import html

    # A browser drops the first line break within <pre>.
    found = re.search(
        r'<pre[^>]*id="peering_config"[^>]*>\n(.*?)</pre>', response.content.decode(), re.DOTALL
    )
    return html.unescape(found[1]) if found else None


def note(response, name):
    """The text of one of the page's notes, None when the page has none of this name."""
    found = re.search(
        rf'id="peering-config-{name}"[^>]*>(.*?)</(?:div|span)>', response.content.decode(), re.DOTALL
    )
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()) if found else None


def test_device_tab_shows_text_of_its_routers_template_with_numbers(net, get):
    response = get(scenario.engineer("view_session_secrets"), device_page(net.device))
    assert response.status_code == 200
    assert text_of(response).splitlines()[0] == f"198.51.100.42 64496 {scenario.OWN_PASSWORD}"
    assert ">1\n2\n3\n4</pre>" in response.content.decode()
    assert note(response, "sessions") == "4 sessions"
    assert note(response, "masked") is None
    assert response["Cache-Control"] == "no-store"


def test_masked_passwords_are_said_to_be_masked(net, get):
    response = get(scenario.engineer(), device_page(net.device))
    assert "Passwords are masked" in note(response, "masked")
    assert MASK in text_of(response)
    assert not [password for password in scenario.PASSWORDS if password in response.content.decode()]


def test_template_can_be_chosen_among_those_that_one_may_render(net, get):
    other = ConfigTemplate.objects.create(name="other", template_code="other: {{ sessions | length }}")
    ConfigTemplate.objects.create(name="forbidden", template_code="x")
    user = scenario.user_with(
        (ConfigTemplate, ("view",)),
        (ConfigTemplate, ("render",), {"name__in": ["peers", "other"]}),
        (Device, ("view",)),
        (PeeringSession, ("view",)),
    )
    response = get(user, device_page(net.device, f"?template={other.pk}"))
    assert text_of(response) == "other: 4"
    options = re.findall(r"<option[^>]*>([^<]*)</option>", response.content.decode())
    assert options == ["---------", "other", "peers"]


@pytest.mark.parametrize("query", ["?template=999999", "?template=x", "?template=%00", "?template=-1"])
def test_unknown_template_is_told(net, get, query):
    response = get(scenario.engineer(), device_page(net.device, query))
    assert response.status_code == 200
    assert note(response, "reason") == "There is no such config template, or none that you may render."
    assert text_of(response) is None


def test_download_is_the_bare_text(net, get):
    user = scenario.engineer()
    response = get(user, device_page(net.device, f"?export=1&template={net.template.pk}"))
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="rt1mtl-peering.txt"'
    assert response["Cache-Control"] == "no-store"
    assert response.content.decode() == text_of(get(user, device_page(net.device)))


def test_failed_rendering_is_no_download(net, get):
    ConfigTemplate.objects.update(template_code="partial {{ nope }}")
    response = get(scenario.engineer(), device_page(net.device, "?export=1"))
    assert "Content-Disposition" not in response
    assert "'nope' is undefined" in response.content.decode().replace("&#x27;", "'")


def test_failing_template_is_shown_with_its_line_marked(net, get):
    ConfigTemplate.objects.update(template_code="first\n<b>{{ nope }}</b>\nlast")
    response = get(scenario.engineer(), device_page(net.device))
    page = response.content.decode()
    assert text_of(response) is None
    assert "line 2: &#x27;nope&#x27; is undefined" in " ".join(re.sub(r"<[^>]+>", "", page).split())
    marked = re.search(r'<tr[^>]*id="failed-line"[^>]*>(.*?)</tr>', page, re.DOTALL)[1]
    assert "&lt;b&gt;{{ nope }}&lt;/b&gt;" in marked
    assert page.count('id="failed-line"') == 1
    assert "<b>{{" not in page


def test_leading_blank_lines_and_odd_line_ends_keep_the_numbers_in_step(net, get):
    ConfigTemplate.objects.update(template_code="\n\na\x0cb\u2028c\nd")
    response = get(scenario.engineer(), device_page(net.device))
    assert text_of(response) == "\n\na\x0cb\u2028c\nd"
    assert ">1\n2\n3\n4</pre>" in response.content.decode()


def test_hostile_text_is_escaped(net, get):
    ConfigTemplate.objects.update(template_code="<script>alert(1)</script> {{ sessions[0].description }}")
    response = get(scenario.engineer(), device_page(net.device))
    assert text_of(response) == f"<script>alert(1)</script> {scenario.HOSTILE}"
    assert "<script>alert(1)" not in response.content.decode()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            lambda net: net.router.delete(),
            "No peering router says which config template to use here. Choose one.",
        ),
        (
            lambda net: type(net.router).objects.update(config_template=None),
            "No peering router says which config template to use here. Choose one.",
        ),
        (
            lambda net: [PeeringSession.objects.all().delete()],
            "There are no sessions here, or none that you may view.",
        ),
    ],
)
def test_page_says_why_it_is_empty(net, get, spoil, reason):
    spoil(net)
    assert note(get(scenario.engineer(), device_page(net.device)), "reason") == reason


def test_device_without_bgp_router_says_so(net, get):
    device = factories.make_device("lonely")
    assert not BGPRouter.objects.filter(device=device).exists()
    response = get(scenario.engineer(), device_page(device, f"?template={net.template.pk}"))
    assert note(response, "reason") == "lonely has no BGP router, so it has no sessions."
    assert note(response, "sessions") == "0 sessions"


def test_template_of_the_router_that_one_may_not_render_is_told(net, get):
    user = scenario.user_with(
        (ConfigTemplate, ("view",)),
        (ConfigTemplate, ("render",), {"name": "other"}),
        (Device, ("view",)),
        (PeeringSession, ("view",)),
    )
    response = get(user, device_page(net.device))
    assert note(response, "reason").startswith(
        "You may not render the config template of the peering router."
    )
    assert net.template.template_code not in response.content.decode()


def test_undecryptable_password_is_told(net, get):
    PeeringSession.objects.filter(pk=net.full.pk).update(encrypted_password="gibberish")
    response = get(scenario.engineer("view_session_secrets"), device_page(net.device))
    assert response.status_code == 200
    assert "session full" in response.content.decode()
    assert text_of(response) is None


def test_session_tab_renders_that_session_alone(net, get):
    response = get(scenario.engineer("view_session_secrets"), session_page(net.in_vrf))
    assert text_of(response) == f"198.51.100.42 64496 {scenario.CLEAR_PASSWORD}\n"
    assert note(response, "sessions") == "1 session"


def test_session_is_rendered_without_a_device_that_one_may_not_view(net, get):
    ConfigTemplate.objects.update(template_code="{{ device.name if device else 'no device' }}")
    user = scenario.user_with((ConfigTemplate, ("view", "render")), (PeeringSession, ("view",)))
    assert text_of(get(user, session_page(net.full, f"?template={net.template.pk}"))) == "no device"
    assert text_of(get(scenario.engineer(), session_page(net.full))) == "rt1.mtl"


# Permissions


@pytest.mark.parametrize("page", [lambda net: device_page(net.device), lambda net: session_page(net.full)])
def test_pages_are_closed_to_those_without_rights(net, client, get, page):
    address = page(net)
    assert client.get(address).status_code == 302
    assert get(scenario.user_with(), address).status_code == 403
    viewer = scenario.user_with((ConfigTemplate, ("view",)), (Device, ("view",)), (PeeringSession, ("view",)))
    assert get(viewer, address).status_code == 403
    elsewhere = scenario.user_with(
        (ConfigTemplate, ("view", "render")),
        (Device, ("view",), {"pk": 0}),
        (PeeringSession, ("view",), {"pk": 0}),
    )
    assert get(elsewhere, address).status_code == 404


@pytest.mark.parametrize("page", ["device", "session"])
def test_tab_shows_to_those_who_may_render(net, get, page):
    address = {"device": net.device, "session": net.full}[page].get_absolute_url()
    tab = {"device": device_page(net.device), "session": session_page(net.full)}[page]
    assert tab in get(scenario.engineer(), address).content.decode()
    viewer = scenario.user_with((Device, ("view",)), (PeeringSession, ("view",)))
    response = get(viewer, address)
    assert response.status_code == 200
    assert tab not in response.content.decode()


def test_sessions_that_one_may_not_view_are_not_rendered(net, get):
    response = get(scenario.engineer(constraints={"service_reference": "T1"}), device_page(net.device))
    assert text_of(response) == f"198.51.100.42 64496 {MASK}\n"


def test_looking_changes_nothing(net, get):
    before = ObjectChange.objects.count()
    get(scenario.engineer("view_session_secrets"), device_page(net.device))
    assert ObjectChange.objects.count() == before


# Cost


def test_number_of_queries_of_the_page_does_not_grow(get):
    device = scenario.many_sessions(3)
    template = ConfigTemplate.objects.create(name="t", template_code="{{ sessions | length }}")
    user = scenario.engineer("view_session_secrets")
    address = device_page(device, f"?template={template.pk}")
    get(user, address)
    few = queries_of(lambda: get(user, address))
    scope = factories.make_scope(device)
    for host in range(20):
        factories.make_session(factories.make_bgp_peer(f"203.0.113.{host + 100}/24", 64520 + host, scope))
    assert text_of(get(user, address)) == "23"
    assert queries_of(lambda: get(user, address)) == few
