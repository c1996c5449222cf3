"""What the stack remembers, and that a kill at any moment leaves it usable."""

import stat
import subprocess
import sys
import threading

import pytest

from dev import paths, state
from dev.errors import DevError


@pytest.fixture(autouse=True)
def stack(tmp_path, monkeypatch):
    """A stack folder of the test's own."""
    monkeypatch.setattr(paths, "STACK", tmp_path)
    monkeypatch.setattr(paths, "STATE", tmp_path / "state.json")
    monkeypatch.setattr(paths, "LOCK", tmp_path / "lock")
    for name in ("RUN", "LOG", "NETBOX_ROOT"):
        monkeypatch.setattr(paths, name, tmp_path / name.lower())
    return tmp_path


def test_first_run_remembers_nothing():
    assert state.load() == {}


def test_secrets_are_made_once():
    first = state.ensure_secrets()
    assert state.ensure_secrets() == first
    assert {name: len(first[name]) for name in state.SECRETS} == state.SECRETS


def test_secrets_are_long_enough_for_netbox():
    assert state.SECRETS["secret_key"] >= 50
    assert state.SECRETS["api_token_pepper"] >= 50


def test_state_is_readable_by_its_owner_only():
    state.ensure_secrets()
    assert stat.S_IMODE(paths.STATE.stat().st_mode) == 0o600


def test_update_keeps_the_other_keys():
    state.update(a=1)
    assert state.update(b=2) == {"a": 1, "b": 2}


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_unreadable_state_says_how_to_start_over(text):
    paths.STATE.write_text(text)
    with pytest.raises(DevError, match="make clean"):
        state.load()


def test_file_left_by_a_killed_write_is_no_obstacle(stack):
    state.save({"a": 1})
    leftover = stack / f".state.json.{state.os.getpid()}"
    leftover.write_text("half")
    state.save({"a": 2})
    assert state.load() == {"a": 2}
    assert not leftover.exists()


def test_second_run_waits_for_the_first(capsys):
    order = []
    with state.locked():
        second = threading.Thread(target=lambda: [state.locked().__enter__(), order.append("second")])
        second.start()
        second.join(0.2)
        order.append("first")
    second.join(5)
    assert order == ["first", "second"]
    assert "Waiting for another run" in capsys.readouterr().err


def test_lock_of_a_killed_run_is_free():
    holder = (
        "import sys, os\nsys.path.insert(0, sys.argv[1])\nfrom pathlib import Path\nfrom dev import state\n"
    )
    holder += (
        "state.locked(Path(sys.argv[2])).__enter__()\nprint('held', flush=True)\nos.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", holder, paths.ROOT, paths.LOCK], capture_output=True)
    with state.locked():
        assert paths.LOCK.exists()
