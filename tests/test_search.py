"""NetBox's global search: every model of the plugin's that has pages is found by it."""

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model

from netbox.models.features import has_feature
from netbox.registry import registry
from netbox.search.backends import search_backend

from netbox_peering_manager import models
from tests import factories

pytestmark = pytest.mark.django_db

APP = "netbox_peering_manager"
WORD = "findable-by-this-word"


def searchable():
    """The plugin's models that people look for: those with pages, tags and comments of their own."""
    return {model for model in apps.get_app_config(APP).get_models() if has_feature(model, "tags")}


@pytest.fixture
def objects():
    """One object of each of them, described by the word."""
    connection = factories.make_connection(bgp_scope=factories.make_scope())
    router = models.PeeringRouter.objects.create(device=connection.interface.device)
    made = (
        connection,
        connection.peering_network,
        connection.peering_network.fabric,
        factories.make_session(factories.make_bgp_peer(scope=connection.bgp_scope)),
        factories.make_relationship("Transit"),
        factories.make_peer_asn(64497),
        models.HiddenPeer.objects.create(asn=64499),
        router,
        models.Deployment.objects.create(router=router),
    )
    for each in made:
        each.description = WORD
        each.save()
    return made


def test_every_model_with_pages_is_searched(objects):
    indexed = {model for model in searchable() if f"{APP}.{model._meta.model_name}" in registry["search"]}
    assert indexed == searchable() == {type(each) for each in objects}


def test_each_is_found_by_its_description_by_who_may_view_it(objects):
    for each in objects:
        search_backend.cache([each])
    root = get_user_model().objects.create_superuser("root")
    assert {found.object for found in search_backend.search(WORD, user=root)} == set(objects)
    nobody = get_user_model().objects.create_user("nobody")
    assert search_backend.search(WORD, user=nobody) == []
