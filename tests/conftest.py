"""
What every test run needs beside the stack, which `dev/pytest_plugin.py` brings up.
"""

import gc
import os

import pytest


def pytest_collection_finish():
    """Leave what is loaded by now (NetBox, the tests) out of garbage collection, and collect the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000, 20, 50)


@pytest.fixture
def admin(client, db):
    """A client in which a superuser is logged in."""
    from django.contrib.auth import get_user_model

    client.force_login(get_user_model().objects.create_superuser("admin"))
    return client


@pytest.fixture(scope="session")
def lab():
    """
    A lab of real routers (`dev/lab`) of this process alone: workers of pytest-xdist do not share one. Its two routers
    begin with nothing configured; whoever changes one begins by saying all that it needs.
    """
    if os.geteuid() != 0:
        pytest.skip("The lab makes network namespaces, which needs root: sudo make test")
    from dev.lab import ending
    from dev.lab.lab import running

    ending.stop_left_over()
    with running(f"{ending.TEST_PREFIX}{os.getpid()}") as started:
        yield started
