"""How the state of a session moves on with a poll."""

from datetime import timedelta

import pytest

from netbox_peering_manager.services.devices.neighbors import Neighbor, Prefixes
from netbox_peering_manager.services.monitoring.transitions import (
    NO_LIMITS,
    REESTABLISHED,
    Limits,
    State,
    began_flapping,
    is_near,
    next_state,
)
from tests.monitoring.polled import FIRST, NOON, after, down, up

FIVE = after(minutes=5)


def known(bgp_state="established", **fields):
    """As the poll at noon left it."""
    values = {"since": after(days=-1), "polled": NOON, "up_since": after(days=-1), "last_established": NOON}
    if bgp_state != "established":
        values |= {"up_since": None, "last_established": None}
    return State(bgp_state, **{**values, **fields})


def step(former, neighbor, at=FIVE, limits=NO_LIMITS):
    return next_state(1, former, neighbor, limits, at)


def moves(found):
    return [(change.former_state, change.bgp_state) for change in found.changes]


def test_the_first_poll_of_a_session():
    found = step(None, up(up_s=600, received=7), limits=Limits(100, None))
    assert found.state == State(
        "established", since=FIVE, polled=FIVE, up_since=after(minutes=-5), last_established=FIVE,
        ipv4=Prefixes(7, 7, 5), limits=Limits(100, None),
    )  # fmt: skip
    assert moves(found) == [("", "established")]
    # Nothing that anybody has to be told.
    assert (found.went_down, found.came_up) == (False, False)


def test_a_session_that_stays_up():
    # A day and five minutes, as the router counts; a second less or more is the same session.
    for seconds in (86700 - 5, 86700, 86700 + 5):
        found = step(known(), up(up_s=seconds))
        assert (found.changes, found.state.since, found.state.up_since) == (
            (),
            after(days=-1),
            after(days=-1),
        )
        assert (found.state.last_established, found.state.polled, found.state.flaps) == (FIVE, FIVE, 0)


def test_a_session_that_goes_down():
    found = step(known(flaps=2), down(state="active", reason="TransportError"))
    assert moves(found) == [("established", "active")]
    assert (found.changes[0].at, found.changes[0].reason) == (FIVE, "TransportError")
    assert (found.state.since, found.state.up_since, found.state.flaps) == (FIVE, None, 3)
    # When it was last seen up is kept.
    assert found.state.last_established == NOON
    assert (found.state.ipv4, found.state.ipv6) == (Prefixes(), Prefixes())
    assert (found.went_down, found.came_up) == (True, False)


def test_a_session_that_comes_up():
    found = step(known("active", flaps=3), up(up_s=60))
    assert moves(found) == [("active", "established")]
    assert (found.state.up_since, found.state.since, found.state.flaps) == (after(minutes=4), FIVE, 3)
    assert (found.went_down, found.came_up) == (False, True)


def test_from_one_state_of_being_down_to_another():
    found = step(known("active", flaps=3), down(state="connect"))
    assert moves(found) == [("active", "connect")]
    assert (found.went_down, found.came_up, found.state.flaps) == (False, False, 3)


def test_a_session_that_the_router_does_not_list_any_more():
    found = step(known(reason="x"), None)
    assert moves(found) == [("established", "missing")]
    assert (found.state.bgp_state, found.state.reason, found.state.up_since) == ("missing", "", None)
    assert found.went_down


def test_a_session_that_was_lost_and_came_back_between_two_polls():
    found = step(known(), up(up_s=60))
    assert moves(found) == [("established", "idle"), ("idle", "established")]
    lost, back = found.changes
    assert (lost.at, lost.reason) == (after(minutes=3, seconds=59), REESTABLISHED)
    assert (back.at, back.reason) == (after(minutes=4), "")
    assert (found.state.since, found.state.up_since, found.state.flaps) == (back.at, back.at, 1)
    assert (found.went_down, found.came_up) == (True, True)


@pytest.mark.parametrize("seconds", [275, 290, 300, 310])
def test_a_session_that_had_just_come_up_is_the_same_one(seconds):
    former = known(up_since=after(seconds=-2))
    assert step(former, up(up_s=seconds)).changes == ()


def test_an_uptime_that_is_not_told_is_none():
    found = step(known(up_since=None), up(up_s=None))
    assert (found.changes, found.state.up_since) == ((), None)
    # Told later.
    assert step(known(up_since=None), up(up_s=86400)).state.up_since == after(days=-1, minutes=5)


def test_an_answer_ends_that_a_state_is_old():
    former = known(stale=True)
    found = step(former, up(up_s=86700))
    assert (found.state.stale, found.changes) == (False, ())
    assert not found.state.same_as(former)


def test_long_reasons_are_cut():
    assert len(step(None, down(reason="x" * 500)).state.reason) == 200


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"polled": FIVE, "last_established": FIVE}, True),
        ({"ipv6": Prefixes(1)}, False),
        ({"limits": Limits(1)}, False),
        ({"reason": "x"}, False),
        ({"bgp_state": "idle"}, False),
        ({"flaps": 1}, False),
        ({"stale": True}, False),
    ],
)
def test_a_state_is_the_same_but_for_the_time_of_the_poll(change, same):
    values = {field: getattr(known(), field) for field in State.__slots__}
    assert State(**{**values, **change}).same_as(known()) is same


@pytest.mark.parametrize(
    ("limits", "ipv4", "ipv6", "near"),
    [
        (Limits(100, None), Prefixes(90), Prefixes(), True),
        (Limits(100, None), Prefixes(89), Prefixes(), False),
        (Limits(None, 1000), Prefixes(5000), Prefixes(950), True),
        (Limits(100, 100), Prefixes(), Prefixes(), False),
        (Limits(), Prefixes(5000), Prefixes(5000), False),
        (Limits(0, 0), Prefixes(1), Prefixes(1), False),
    ],
)
def test_near_the_limit(limits, ipv4, ipv6, near):
    assert is_near(known(limits=limits, ipv4=ipv4, ipv6=ipv6), 90) is near
    assert not is_near(known("idle", limits=limits, ipv4=ipv4, ipv6=ipv6), 90)
    assert not is_near(None, 90)


def test_a_neighbour_is_told_whatever_it_carries():
    both = Neighbor("", FIRST, bgp_state="established", ipv4=Prefixes(1, 2, 3), ipv6=Prefixes(4, 5, 6))
    assert (step(None, both).state.ipv4, step(None, both).state.ipv6) == (
        Prefixes(1, 2, 3),
        Prefixes(4, 5, 6),
    )


@pytest.mark.parametrize(
    ("minutes", "begins"),
    [
        ([], False),
        ([0], False),
        ([0, 10], False),
        ([0, 10, 20], True),
        # It did already at the one before.
        ([0, 10, 20, 30], False),
        ([0, 10, 20, 30, 40, 50, 60, 70], False),
        # The first is too long ago.
        ([0, 50, 60], False),
        ([0, 50, 60, 70], True),
        # It had stopped.
        ([0, 10, 20, 100, 105, 110], True),
    ],
)
def test_flapping_begins_with_the_third_loss_within_an_hour(minutes, begins):
    lost = [after(minutes=minute) for minute in minutes]
    assert began_flapping(lost, 3, timedelta(hours=1)) is begins


def test_one_loss_can_be_enough():
    assert began_flapping([NOON], 1, timedelta(hours=1))
    assert not began_flapping([NOON, FIVE], 1, timedelta(hours=1))
