"""
Data that the tests of a module share: made once for the module, and for each test as if it had been made for it alone.

    made = shared.once(scenario.build)
    net = shared.copy()

The rows lie in a transaction around all of the module's tests; what a test changes is rolled back to them. They are
there for every test of the module, also for one that does not ask for them, so that the order of tests means nothing.
Not for modules with Django's TestCase classes: these close the connection, and have setUpTestData.
"""

import copy as copies
from collections.abc import Callable

import pytest
from django.db import transaction


def once(build: Callable):
    """A fixture, to be named `made`, that calls `build` once for its module and gives what that returns."""

    @pytest.fixture(scope="module", autouse=True)
    def made(django_db_setup, django_db_blocker):
        block = transaction.atomic()
        with django_db_blocker.unblock():
            block.__enter__()
            built = None
            try:
                built = build()
            finally:
                if built is None:
                    leave(block)
        yield built
        with django_db_blocker.unblock():
            leave(block)

    return made


def leave(block):
    """Undo what was done in the block."""
    transaction.set_rollback(True)
    block.__exit__(None, None, None)


def copy(*names: str):
    """
    A fixture that gives each test objects of its own: all that was made, or the attribute of that name.

    The copies share their rows with what was made, so that a test may change both without a later test seeing it.
    """

    @pytest.fixture
    def own(made, db):
        whole = copies.deepcopy(made)
        return getattr(whole, *names) if names else whole

    return own
