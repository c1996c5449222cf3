"""The Python of the tutorial and of the how-to pages runs as it stands, and ends in what they promise."""

import json
import re

import pytest

from extras.models import ConfigTemplate
from users.constants import TOKEN_PREFIX
from users.models import Token
from utilities.testing import create_test_user

from dev.demo_network import WITH_PASSWORD
from dev.lab.plan import SESSION_PASSWORD
from netbox_peering_manager.models import PeeringSession
from tests import factories
from tests.docs.markdown import DOCS, fences

pytestmark = pytest.mark.django_db

TUTORIAL = "tutorial/first-configuration.md"
RENDER = "/api/plugins/peering-manager/render-config/"


def run(page):
    """Run the page's marked Python in one namespace, as a reader of it would. Returns the namespace."""
    namespace = {}
    for fence in fences(page):
        if fence.runs:
            assert fence.language == "python"
            exec(compile(fence.text, page, "exec"), namespace)  # noqa: S102
    return namespace


def marked(page, mark):
    """The text of the block after `<!-- mark -->`."""
    return re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", (DOCS / page).read_text(), flags=re.DOTALL)[1]


@pytest.fixture
def token():
    """The value of an administrator's API token, as `make serve` prints one."""
    user = create_test_user()
    user.is_superuser = True
    user.save()
    made = Token.objects.create(user=user)
    return f"{TOKEN_PREFIX}{made.key}.{made.token}"


def test_tutorial_ends_in_the_configuration_that_it_shows(client, token):
    made = run(TUTORIAL)
    template = ConfigTemplate.objects.create(
        name="Tutorial",
        template_code=marked(TUTORIAL, "template"),
        environment_params={"trim_blocks": True, "lstrip_blocks": True},
    )
    response = client.post(
        RENDER,
        json.dumps({"template": template.pk, "device": made["device"].pk}),
        content_type="application/json",
        headers={"Accept": "text/plain", "Authorization": f"Bearer {token}"},
    )
    assert response.status_code == 200, response.content
    assert response.content.decode().strip() == marked(TUTORIAL, "answer").strip()


def test_graphql_example_finds_the_sessions_of_peers(client, token):
    factories.make_session()
    query = next(fence.text for fence in fences("reference/graphql.md") if fence.language == "graphql")
    response = client.post(
        "/graphql/",
        json.dumps({"query": query}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    answer = response.json()
    assert "errors" not in answer
    (found,) = answer["data"]["peering_session_list"]
    assert found["bgp_peer"]["remote_as"]["asn"] == 64496


def test_rest_example_makes_a_session(client, token):
    connection = factories.make_connection(bgp_scope=factories.make_scope())
    relationship = factories.make_relationship("Peer")
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
    factories.make_asn(64496)
    curl = next(fence.text for fence in fences("reference/rest.md") if "sessions/create/" in fence.text)
    body = json.loads(re.search(r"-d '(.*)'", curl)[1])
    response = client.post(
        "/api/plugins/peering-manager/sessions/create/",
        json.dumps({**body, "connection": connection.pk, "relationship": relationship.pk}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert response.status_code == 201, response.content
    assert PeeringSession.objects.get().bgp_peer.name == "AS64496 LINX LON1"


def test_constraints_of_the_noc_page_are_lookups_of_sessions():
    for fence in fences("how-to/permissions-for-a-noc.md"):
        if fence.language == "json":
            assert not PeeringSession.objects.filter(**json.loads(fence.text)).exists()


def test_tutorial_connection_finds_its_addresses_and_scope():
    connection = run(TUTORIAL)["connection"]
    assert all((connection.ipv4_address, connection.ipv6_address, connection.bgp_scope))


@pytest.fixture
def before_the_first_session():
    """What docs/how-to/first-session.md asks for before it starts."""
    factories.make_connection(bgp_scope=factories.make_scope())
    factories.make_relationship("Peer")
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
    factories.make_asn(64511)
    factories.make_address("198.51.100.42/24")


def test_first_session_runs(before_the_first_session):
    run("how-to/first-session.md")
    session = PeeringSession.objects.with_connection().get()
    assert session.service_reference == "NOC-12345"
    assert session.connection_id
    session.full_clean()


def test_wrapping_finds_the_network_of_each_bgp_peer(before_the_first_session):
    scope = factories.make_scope()
    on_lan = factories.make_bgp_peer("198.51.100.43/24", scope=scope)
    elsewhere = factories.make_bgp_peer("203.0.113.1/32", scope=scope)
    run("how-to/wrap-bgp-peers.md")
    assert on_lan.peering_session.peering_network.name == "LINX LON1 Main"
    assert elsewhere.peering_session.peering_network is None


def test_moving_passwords_takes_them_out_of_the_plain_column():
    factories.make_session(factories.make_bgp_peer(password="in the clear"))
    code = next(fence.text for fence in fences("how-to/passwords.md") if "move_clear_password" in fence.text)
    exec(compile(code, "how-to/passwords.md", "exec"), {})  # noqa: S102
    session = PeeringSession.objects.get()
    assert session.has_password
    assert not session.has_clear_password


def test_addresses_and_as_numbers_of_the_tutorial_are_documentation_ones():
    numbers = {
        int(number)
        for number in re.findall(r"\bAS(\d+)\b|asn=(\d+)", (DOCS / TUTORIAL).read_text())
        for number in number
        if number
    }
    assert all(64496 <= number <= 64511 or 65536 <= number <= 65551 for number in numbers)


def test_demo_by_hand_has_the_password_and_the_sessions_of_the_lab():
    page = " ".join((DOCS / "tutorial/demo-by-hand.md").read_text().split())
    assert f"the password `{SESSION_PASSWORD}`" in page
    wanting = " and ".join(f"AS{asn}" for asn in sorted(WITH_PASSWORD))
    assert f"{wanting} want a password" in page
