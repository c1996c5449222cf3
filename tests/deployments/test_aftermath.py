"""What follows from what a router tells of an interrupted deployment. Pure; the lab's fault tests do it for real."""

import pytest

from netbox_peering_manager.services.deployment.aftermath import Found, Left, Next, what_next


@pytest.mark.parametrize(
    ("left", "pending", "reverts", "expected"),
    [
        (Left.NOTHING, True, True, Next.CONFIRM),
        (Left.NOTHING, False, True, Next.JUDGE),
        (Left.NOTHING, False, False, Next.CONFIRM),
        (Left.AS_REVIEWED, True, True, Next.WAIT),
        (Left.AS_REVIEWED, False, True, Next.AS_BEFORE),
        (Left.AS_REVIEWED, False, False, Next.AS_BEFORE),
        (Left.SOMETHING_ELSE, True, True, Next.ROLL_BACK),
        (Left.SOMETHING_ELSE, False, True, Next.GIVE_UP),
        (Left.SOMETHING_ELSE, False, False, Next.GIVE_UP),
    ],
)
def test_what_follows_from_where_the_router_stands(left, pending, reverts, expected):
    assert what_next(Found(pending, left), reverts=reverts) is expected


@pytest.mark.parametrize(
    ("left", "pending", "committed", "expected"),
    [
        # The driver's comparison says nothing: what is known is how far the worker came.
        (Left.NOTHING, True, False, Next.ROLL_BACK),
        (Left.SOMETHING_ELSE, True, True, Next.CONFIRM),
        (Left.NOTHING, False, True, Next.TELL),
        (Left.AS_REVIEWED, False, False, Next.TELL),
    ],
)
def test_what_follows_where_no_comparison_can_tell(left, pending, committed, expected):
    assert what_next(Found(pending, left, exact=False), reverts=True, committed=committed) is expected


@pytest.mark.parametrize("left", Left)
def test_commit_that_only_another_session_can_confirm_is_waited_for(left):
    assert what_next(Found(True, left), reverts=True, committed=True, reachable=False) is Next.WAIT
