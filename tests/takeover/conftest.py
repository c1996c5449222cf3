"""A router that has everything, and where private AS numbers belong to an RIR."""

import pytest
from django.conf import settings

from tests import factories
from tests.takeover.routers import make_router


@pytest.fixture
def rir(db, monkeypatch):
    """The RIR that AS numbers of documentation get."""
    monkeypatch.setitem(settings.PLUGINS_CONFIG["netbox_peering_manager"], "default_rir", "documentation")
    return factories.make_rir()


@pytest.fixture
def router(rir):
    return make_router()
