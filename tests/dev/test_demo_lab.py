"""The demo's end in the lab: when there is none, and with which settings NetBox reaches the lab's routers."""

from pathlib import Path

from dev import demo_lab
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
