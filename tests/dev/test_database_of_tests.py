"""A test that forgets to ask for the test database does not get at the one that serves."""

from django.conf import settings

from dev import postgres
from dev.pytest_plugin import NO_DATABASE


def test_without_a_test_database_there_is_none():
    assert settings.DATABASES["default"]["NAME"] in (
        NO_DATABASE,
        settings.DATABASES["default"]["TEST"]["NAME"],
    )
    assert settings.DATABASES["default"]["NAME"] != postgres.known().database
