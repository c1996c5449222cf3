"""Fixtures for the driver: NAPALM's own suite gets its cases here."""

from napalm.base.test import conftest as suite


def pytest_generate_tests(metafunc):
    """One test per folder of mocked_data/<test>/, as in NAPALM's own drivers."""
    suite.pytest_generate_tests(metafunc, __file__)
