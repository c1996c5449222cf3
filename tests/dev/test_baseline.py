"""The committed dump of an empty NetBox must be the one that the installed packages would make."""

import pytest
from django.db.migrations.loader import MigrationLoader

from dev import baseline

PLUGIN = "netbox_peering_manager"
PATH = baseline.path_for(baseline.installed_versions())


def installed_migrations():
    """The (app, name) pairs that migrating an empty database with the installed packages records."""
    found = set()
    for (app, name), migration in MigrationLoader(
        connection=None, ignore_no_migrations=True
    ).disk_migrations.items():
        if app != PLUGIN:
            # Django records a squashed migration and each that it replaces.
            found |= {(app, name), *migration.replaces}
    return found


def test_dump_of_the_installed_versions_is_there():
    assert PATH.exists(), f"{PATH.name} is missing. Make it with: make baseline"
    assert [path.name for path in baseline.paths.BASELINE.glob("*.sql.gz")] == [PATH.name]


def test_dump_records_the_migrations_of_the_installed_packages():
    assert baseline.migration_rows(PATH) == installed_migrations(), "Make it anew with: make baseline"


def test_dump_knows_nothing_of_this_plugin():
    sql = baseline.gzip.decompress(PATH.read_bytes())
    assert PLUGIN.encode() not in sql


@pytest.mark.parametrize(
    "noise", [b"\\restrict ", b"\\unrestrict ", b"transaction_timeout", b"-- Dumped from"]
)
def test_dump_holds_nothing_that_an_older_postgresql_refuses(noise):
    assert noise not in baseline.gzip.decompress(PATH.read_bytes())


def test_dump_names_no_owner():
    assert b"OWNER TO" not in baseline.gzip.decompress(PATH.read_bytes())


def test_noise_is_removed_line_by_line():
    sql = b"\\restrict abc\n\n-- Dumped from database version 17.1\nSET transaction_timeout = 0;\nSELECT 1;\n"
    assert baseline.NOISE.sub(b"", sql) == b"\nSELECT 1;\n"


def test_same_sql_makes_the_same_file():
    assert baseline.compress(b"SELECT 1;") == baseline.compress(b"SELECT 1;")


def test_file_name_tells_the_versions():
    path = baseline.path_for({"netbox": "4.7.3", "netbox_routing": "0.5.1"})
    assert path.name == "netbox-4.7.3_netbox-routing-0.5.1.sql.gz"


def test_other_versions_migrate_with_a_message(monkeypatch, capsys):
    monkeypatch.setattr(
        baseline, "installed_versions", lambda: {"netbox": "9.9.9", "netbox_routing": "0.5.1"}
    )
    calls = []
    monkeypatch.setattr(baseline.netbox, "inside", lambda *tasks, **options: calls.append((tasks, options)))
    baseline.fill(None, "scratch")
    assert calls == [(("migrate",), {"database": "scratch", "host_only": True})]
    assert "netbox-9.9.9_netbox-routing-0.5.1.sql.gz" in capsys.readouterr().err


def test_broken_dump_says_how_to_make_it_anew(tmp_path):
    path = tmp_path / "broken.sql.gz"
    path.write_bytes(b"no gzip")
    with pytest.raises(baseline.DevError, match="make baseline"):
        baseline.restore(None, "scratch", path)
