"""The databases of a checkout: cloned by many at once, cleaned up after kills, new when migrations change."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from dev import databases, paths, postgres, pytest_plugin, redis


@pytest.fixture
def prefix():
    """A name that begins this test's databases; whatever it leaves is dropped."""
    name = f"scratch_{os.getpid()}_"
    yield name
    server = postgres.known()
    for database in databases.names(server):
        if database.startswith(name):
            databases.drop(server, database)


@pytest.mark.parametrize("folder", ["migrations", "models"])
def test_fingerprint_changes_with_the_content_of_a_migration_or_model(tmp_path, monkeypatch, folder):
    monkeypatch.setattr(paths, "PLUGIN", tmp_path)
    (tmp_path / folder).mkdir()
    seen = {databases.fingerprint()}
    for text in ("one", "two"):
        (tmp_path / folder / "any.py").write_text(text)
        seen.add(databases.fingerprint())
    assert len(seen) == 3


def test_template_can_be_cloned_by_several_at_once(prefix):
    server = postgres.known()
    template = os.environ["NPM_TEMPLATE"]

    def clone(number):
        return postgres.psql(server, f'CREATE DATABASE "{prefix}{number}" TEMPLATE "{template}"').returncode

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(clone, range(4))) == [0, 0, 0, 0]


def test_nobody_can_connect_to_the_template():
    assert postgres.psql(
        postgres.known(), "SELECT 1", database=os.environ["NPM_TEMPLATE"], check=False
    ).returncode


def test_databases_of_killed_runs_are_dropped_and_those_of_living_ones_kept(prefix):
    server = postgres.known()
    for name in ("111", "111_gw0", "222_gw1", "other"):
        databases.create(server, f"{prefix}{name}")
    databases.drop_left_over_tests(server, prefix, alive=lambda pid: pid == 222)
    left = {name.removeprefix(prefix) for name in databases.names(server) if name.startswith(prefix)}
    assert left == {"222_gw1", "other"}


def test_empty_database_is_told_from_a_filled_one(prefix):
    server = postgres.known()
    databases.create(server, f"{prefix}empty")
    assert not databases.has_tables(server, f"{prefix}empty")


def test_run_and_workers_share_no_redis_database(monkeypatch):
    monkeypatch.setattr(redis, "known", lambda: redis.Server("127.0.0.1", 6379))
    first = pytest_plugin.run_slot(4711)
    slots = [first, *(pytest_plugin.worker_slot(first, f"gw{number}") for number in range(15))]
    assert len(set(slots)) == 16
    assert max(slots) < pytest_plugin.run_slot(4712)
    assert min(slots) > 0


def test_given_redis_is_shared_since_it_has_few_databases(monkeypatch):
    monkeypatch.setattr(redis, "known", lambda: redis.Server("127.0.0.1", 6379, given=True))
    assert pytest_plugin.run_slot(4711) == 0
    assert pytest_plugin.worker_slot(0, "gw1") == 0


def test_data_of_a_checkout_that_the_server_cannot_reach_lies_elsewhere_under_its_own_name(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(postgres, "server_user", lambda: (65534, 65534))
    tmp_path.chmod(0o700)
    for name in "ab":
        (tmp_path / name).mkdir()
    first, second = (postgres.data_folder(tmp_path / name / ".stack") for name in "ab")
    assert first != second
    assert not first.is_relative_to(tmp_path)
