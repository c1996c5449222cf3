"""A router that has everything, and where private AS numbers belong to an RIR."""

import pytest

from tests import factories
from tests.takeover.routers import make_router


@pytest.fixture
def router(db, settings):
    factories.make_rir()
    settings.PLUGINS_CONFIG["netbox_peering_manager"]["default_rir"] = "documentation"
    return make_router()
