"""docs/how-to/bulk-import.md: its columns are those of the import forms, and its example imports."""

import re

import pytest
from django.apps import apps

from utilities.testing import create_test_user

from netbox_peering_manager import forms
from netbox_peering_manager.models import PeeringConnection, PeeringSession
from tests import factories
from tests.docs.markdown import DOCS, sections, tables

PAGE = "how-to/bulk-import.md"
FORMS = {
    "Relationship types": forms.RelationshipImportForm,
    "Peer ASNs": forms.PeerASNImportForm,
    "Hidden peers": forms.HiddenPeerImportForm,
    "Fabrics": forms.PeeringFabricImportForm,
    "Networks": forms.PeeringNetworkImportForm,
    "Connections": forms.PeeringConnectionImportForm,
    "Routers": forms.PeeringRouterImportForm,
    "Sessions": forms.PeeringSessionImportForm,
}
EVERY_OBJECT = {"id", "description", "comments", "owner", "tags", "changelog_message", "_init_time"}


@pytest.mark.parametrize("heading", FORMS)
def test_every_column_is_documented_and_no_other(heading):
    rows = [row for table in tables(sections(PAGE)[heading]) for row in table]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    assert told == set(FORMS[heading].base_fields) - EVERY_OBJECT


def examples():
    return re.findall(
        r"<!-- import: (\w+) -->\n```text\n(.*?)```", (DOCS / PAGE).read_text(), flags=re.DOTALL
    )


@pytest.mark.django_db
def test_the_example_imports_in_its_order(client):
    scope = factories.make_scope()
    interface = factories.make_interface(factories.make_device())
    for prefix in ("198.51.100.0/24", "2001:db8:100::/64"):
        factories.make_prefix(prefix)
    source = factories.make_address("198.51.100.1/24", interface)
    factories.make_address("2001:db8:100::1/64", interface)
    for last, asn in ((42, 64496), (43, 64497)):
        factories.make_bgp_peer(f"198.51.100.{last}/24", asn, scope, source)
    user = create_test_user()
    user.is_superuser = True
    user.save()
    client.force_login(user)

    assert len(examples()) == 7
    for model, text in examples():
        before = count(model)
        response = client.post(
            f"/plugins/peering-manager/{PREFIXES[model]}/import/",
            {"data": text, "import_method": "direct", "format": "csv", "csv_delimiter": ","},
        )
        assert response.status_code == 302, f"{model}: {problems(response)}"
        assert count(model) - before == len(text.strip().splitlines()) - 1

    connection = PeeringConnection.objects.get()
    assert connection.bgp_scope == scope
    assert connection.ipv4_address == source
    with_password, without = PeeringSession.objects.order_by("service_reference")
    assert with_password.has_password
    assert not without.has_password


PREFIXES = {
    "relationship": "relationships",
    "peerasn": "peer-asns",
    "peeringfabric": "fabrics",
    "peeringnetwork": "networks",
    "peeringconnection": "connections",
    "peeringrouter": "routers",
    "peeringsession": "sessions",
}


def count(model):
    return apps.get_model("netbox_peering_manager", model).objects.count()


def problems(response):
    """What the import page complains about."""
    return re.findall(r"(?:alert|invalid|text-danger)[^>]*>([^<]{3,})<", response.content.decode())
