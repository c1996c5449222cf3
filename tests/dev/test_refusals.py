"""Every refusal of the local stack names what is missing and the command that puts it right."""

import os
import subprocess

import pytest

from dev import checks, commands, package, postgres, programs, redis, stack
from dev.errors import DevError

NOWHERE = programs.Program(("/nonexistent/daemon",), ("some-package", "another"), "a purpose")


@pytest.fixture
def missing(monkeypatch):
    monkeypatch.setitem(programs.PROGRAMS, "daemon", NOWHERE)
    return "daemon"


def test_missing_program_is_named_with_its_purpose_and_the_line_that_installs_it(missing, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(DevError) as refusal:
        programs.ensure([missing])
    assert "daemon (for a purpose)" in str(refusal.value)
    assert "sudo apt-get install --no-install-recommends some-package another" in str(refusal.value)


def test_root_installs_what_is_missing_and_is_told_when_that_did_not_help(missing, monkeypatch):
    installed = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(programs.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(programs, "install", installed.append)
    with pytest.raises(DevError, match="apt-get install"):
        programs.ensure([missing])
    assert installed == [["some-package", "another"]]


def test_nothing_is_installed_when_all_is_there(monkeypatch):
    monkeypatch.setattr(programs, "install", lambda packages: pytest.fail("installed something"))
    programs.ensure(["psql"])


def test_newest_of_several_versions_is_found(tmp_path):
    for version in ("9", "15", "16"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "psql").touch()
    found = programs.Program((f"{tmp_path}/*/bin/psql",), (), "").find()
    assert found == str(tmp_path / "16" / "bin" / "psql")


def test_services_stay_down_while_packages_are_installed(tmp_path):
    policy = tmp_path / "policy-rc.d"
    with programs.services_kept_down(policy):
        assert subprocess.run([policy]).returncode == 101
    assert not policy.exists()


def test_policy_of_the_machine_is_not_touched(tmp_path):
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 0\n")
    with programs.services_kept_down(policy):
        assert policy.read_text() == "#!/bin/sh\nexit 0\n"
    assert policy.exists()


def test_policy_left_by_a_killed_run_goes_away(tmp_path):
    policy = tmp_path / "policy-rc.d"
    policy.write_text(programs.POLICY_TEXT)
    with programs.services_kept_down(policy):
        pass
    assert not policy.exists()


@pytest.mark.parametrize("url", ["mysql://u@h/d", "postgres://", "postgres://host/db", "netbox"])
def test_database_url_of_another_shape_is_refused_with_an_example(url):
    with pytest.raises(DevError, match="postgres://user:password@host"):
        postgres.parse_url(url)


def test_database_url_is_understood_with_quoted_characters():
    server = postgres.parse_url("postgres://me:p%40ss@db.example.org:5433/peering")
    assert server == postgres.Server("db.example.org", 5433, "me", "p@ss", "peering", given=True)


@pytest.mark.parametrize(
    ("abilities", "remedy"),
    [((140010, 1, 1), "PostgreSQL 15"), ((150000, 0, 1), "postgresql-contrib"), ((150000, 1, 0), "CREATEDB")],
)
def test_given_server_that_cannot_serve_is_refused_with_the_remedy(abilities, remedy):
    with pytest.raises(DevError, match=remedy):
        postgres.check_abilities(*abilities)


def test_given_server_that_does_not_answer_is_refused(monkeypatch):
    server = postgres.parse_url("postgres://me:secret@127.0.0.1:1/netbox")
    with pytest.raises(DevError, match="unset DATABASE_URL") as refusal:
        postgres.check_given(server)
    assert "secret" not in str(refusal.value)


def test_able_server_is_accepted():
    postgres.check_abilities(150000, 1, 1)


@pytest.mark.parametrize("url", ["http://host", "redis://", "redis://host/zero"])
def test_redis_url_of_another_shape_is_refused_with_an_example(url):
    with pytest.raises(DevError, match="redis://"):
        redis.parse_url(url)


def test_redis_url_is_understood():
    server = redis.parse_url("rediss://me:p%40ss@cache.example.org/4")
    assert server == redis.Server("cache.example.org", 6379, "me", "p@ss", 4, tls=True, given=True)


def test_given_redis_that_does_not_answer_is_refused():
    with pytest.raises(DevError, match="unset REDIS_URL"):
        redis.check_given(redis.parse_url("redis://127.0.0.1:1"))


@pytest.mark.parametrize("line", ["Redis server v=6.0.16 sha=00000000:0", "", "something else"])
def test_redis_that_is_too_old_is_refused(line):
    with pytest.raises(DevError, match="apt-get install"):
        redis.check_version(line)


def test_redis_of_debian_12_is_new_enough():
    redis.check_version("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=c15c")


def test_every_failed_check_is_named_with_the_command_that_runs_it_alone(monkeypatch):
    monkeypatch.setattr(checks, "passes", lambda name, command: name == "style")
    with pytest.raises(DevError) as refusal:
        checks.run_all({"style": ["true"], "types": ["mypy"], "imports": ["lint-imports"]})
    assert str(refusal.value).startswith("Failed: types, imports.")
    assert "python -m dev shell -- lint-imports" in str(refusal.value)


def test_refusal_is_printed_without_a_traceback(monkeypatch, capsys):
    def refuse(_options):
        raise DevError("redis-server is missing. Install it with: apt-get install redis-server")

    monkeypatch.setitem(commands.COMMANDS, "stop", refuse)
    assert commands.main(["stop"]) == 1
    assert (
        capsys.readouterr().err
        == "error: redis-server is missing. Install it with: apt-get install redis-server\n"
    )


def test_unknown_program_in_the_shell_is_named(capsys):
    with pytest.raises(DevError, match="no-such-program is not a program"):
        commands.run(["no-such-program"])


def test_files_that_a_package_lacks_are_listed(tmp_path):
    source, installed = tmp_path / "source", tmp_path / "installed"
    for folder in (source / "templates", source / "__pycache__", installed):
        folder.mkdir(parents=True)
    for name in ("__init__.py", "templates/a.html", "__pycache__/x.pyc"):
        (source / name).touch()
    (installed / "__init__.py").touch()
    assert package.missing_files(source, installed) == ["templates/a.html"]


def test_stack_shows_no_password_when_printed():
    running = stack.Stack(
        "http://127.0.0.1:8000", "admin", "hidden-password", "nbt_hidden.token", {"A": "hidden"}
    )
    assert "hidden" not in repr(running)
    assert running.headers == {"Authorization": "Bearer nbt_hidden.token"}
