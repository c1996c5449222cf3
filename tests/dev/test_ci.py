"""`make check` stops at the first failure, says where it was, and leaves nothing running."""

import pytest

from dev import ci
from dev.errors import DevError


@pytest.fixture(autouse=True)
def stopped(monkeypatch):
    """How often the stack was stopped; it must not really be, since these tests run on it."""
    calls = []
    monkeypatch.setattr(ci.stack, "stop", lambda: calls.append("stop"))
    return calls


def refuse():
    raise DevError("it is missing. Install it with: apt-get install it")


def test_all_parts_run_in_order_and_the_stack_is_stopped(stopped, capsys):
    order = []
    assert ci.run({name: lambda name=name: order.append(name) for name in ("lint", "test", "docs")}) == 0
    assert order == ["lint", "test", "docs"]
    assert stopped == ["stop"]
    assert "[check] passed" in capsys.readouterr().err


def test_first_failure_ends_the_run_and_is_named(stopped, capsys):
    parts = {"lint": lambda: None, "test": lambda: 1, "docs": lambda: pytest.fail("went on")}
    assert ci.run(parts) == 1
    assert stopped == ["stop"]
    assert "[check] failed in: test" in capsys.readouterr().err


def test_refusal_stops_the_stack_too(stopped, capsys):
    with pytest.raises(DevError):
        ci.run({"lint": refuse})
    assert stopped == ["stop"]
    assert "[check] failed in: lint" in capsys.readouterr().err
