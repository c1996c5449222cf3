"""The demo: what it takes for success, when it ends before the lab, and with which settings the lab is reached."""

from pathlib import Path

import pytest

from dev import demo, demo_lab
from dev.errors import DevError
from dev.lab import access, reached
from netbox_peering_manager import PeeringManagerConfig
from netbox_peering_manager.settings import validate_settings


def test_demo_without_root_says_why_it_ends_before_the_lab(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "sudo make demo" in demo_lab.why_not()
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert demo_lab.why_not() == ""


def test_settings_for_the_lab_are_valid_and_name_its_files():
    found = reached.settings({})
    validate_settings(PeeringManagerConfig.default_settings | found)
    profile = found["credential_profiles"]["default"]
    assert profile["username"] == access.USER
    assert Path(profile["key_file"]).parent == Path(found["known_hosts"]).parent == reached.LAB


def test_tests_get_no_login_for_a_lab_that_is_not_theirs():
    assert reached.settings({"NPM_TEMPLATE": "x"}) == {}


def session(remote, kind="peer", state="established", received=3, **more):
    return {
        "remote": remote,
        "relationship": {"slug": kind},
        "is_on": True,
        "has_password": False,
        "has_bfd": False,
        "state": {
            "bgp_state": {"value": state},
            **{f"ipv4_{name}": received for name in ("received", "accepted", "advertised")},
        },
        **more,
    }


STORY = [
    session("198.51.100.11"),
    session("198.51.100.12", "transit", has_password=True),
    session("198.51.100.13", "customer", is_on=False),
    session("198.51.100.14", "ixp-rs", has_bfd=True),
]
RENDERED = "".join(f" neighbor {row['remote']} remote-as 64496\n" for row in STORY if row["is_on"])


def test_demo_succeeds_with_each_session_that_is_on_in_the_configuration():
    demo.check_neighbors(RENDERED, STORY)


@pytest.mark.parametrize(
    ("content", "sessions", "told"),
    [
        ("", STORY, "lacks these neighbours: 198.51.100.11, 198.51.100.12, 198.51.100.14"),
        (RENDERED.replace("198.51.100.11 ", "198.51.100.111 "), STORY, "neighbours: 198.51.100.11$"),
        (RENDERED, STORY[:3], "not those of the story"),
        (RENDERED, [row | {"has_bfd": False} for row in STORY], "alike in .'has_bfd'"),
        ("", [], "not those of the story"),
    ],
    ids=["empty", "another", "no-route-server", "no-bfd", "no-sessions"],
)
def test_demo_fails_without_the_sessions_of_its_story(content, sessions, told):
    with pytest.raises(DevError, match=told):
        demo.check_neighbors(content, sessions)


def test_demo_succeeds_with_the_states_and_counters_of_what_is_established():
    down = session("198.51.100.12", state="idle", received=None)
    demo_lab.check_states([session("198.51.100.11"), down], {"198.51.100.11"})


@pytest.mark.parametrize("wrong", [{"state": "idle"}, {"received": None}])
def test_demo_fails_when_netbox_does_not_know_what_is_established(wrong):
    with pytest.raises(DevError, match=r"counters: 198\.51\.100\.11$"):
        demo_lab.check_states([session("198.51.100.11", **wrong)], {"198.51.100.11"})
