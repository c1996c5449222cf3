"""Forgetting what deployments of long ago said. That they were, who decided what and when, stays: it is the proof."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from ...choices import DeploymentStatusChoices
from ...models import Deployment
from ...settings import get_setting
from ..secrets import MASK

__all__ = ("forget_texts", "signs_of")


def forget_texts(now: datetime | None = None) -> int:
    """
    Empty the texts, the changes and what was seen of neighbours of deployments that ended more than
    `deployment_texts_days` ago. Returns how many those were. One query; change records and events tell nothing of it.
    """
    limit = (now or timezone.now()) - timedelta(days=get_setting("deployment_texts_days"))
    emptied = ~Q(masked_text="") | ~Q(masked_diff="")
    seen = Q(sessions_before__isnull=False) | Q(sessions_after__isnull=False)
    old = Deployment.objects.filter(emptied | seen, status__in=DeploymentStatusChoices.ENDED, ended__lt=limit)
    return old.order_by().update(masked_text="", masked_diff="", sessions_before=None, sessions_after=None)


def signs_of(diff: str) -> str:
    """
    Return what may be kept of the changes that one-time commands made: how many lines came and went. In what people
    type no rule finds every secret, and the router repeats it.
    """
    lines = [
        line for number, line in enumerate(diff.splitlines()) if line.strip() and not _is_place(line, number)
    ]
    return "\n".join(f"{line[0] if line[0] in '+-' else ' '}{MASK}" for line in lines)


def _is_place(line: str, number: int) -> bool:
    """Whether it neither comes nor goes: the names of the two files at the head, and where the next lines stand."""
    return line.startswith(("@@", "[edit")) or (number < 2 and line.startswith(("--- ", "+++ ")))
