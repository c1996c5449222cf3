"""
A sample PeeringDB for each test: `server` over HTTP, `town` and `hamlet` as worlds of the test's own.
"""

import pytest
from django.core.cache import cache

from dev.sample_peeringdb.server import serve
from dev.sample_peeringdb.world import World


@pytest.fixture(scope="session")
def pristine_town():
    """The town as it is generated. Nobody changes it: `town` is a copy."""
    return World(size="town")


@pytest.fixture(scope="session")
def pristine_hamlet():
    """The hamlet as it is generated. Nobody changes it: `hamlet` is a copy."""
    return World(size="hamlet")


@pytest.fixture
def town(pristine_town):
    """Some hundred rows, one exchange with 140 networks. The test may change it."""
    return pristine_town.copy()


@pytest.fixture
def hamlet(pristine_hamlet):
    """The demo's story alone. The test may change it."""
    return pristine_hamlet.copy()


@pytest.fixture
def server(town):
    """A running sample PeeringDB that serves `town`."""
    with serve(town) as running:
        yield running


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet():
    """Pacing goes by address, over all processes: another test's server may have had this port, and said "later"."""
    cache.delete_pattern("netbox_peering_manager:peeringdb:pace:*")
