"""What the plugin's jobs have in common: one request for all that they change, and progress that a page can show."""

import time
from contextlib import contextmanager
from typing import Any

from netbox.context_managers import event_tracking
from netbox.jobs import JobRunner

from ..services.tracking import request_of

# A page that shows progress asks for it about as often.
_SECONDS_BETWEEN_REPORTS = 1.0


class PeeringJob(JobRunner):
    """
    A job that changes NetBox as its user would have: with change log and events, in the name of that user.

    Progress stands in the job's data, as {"progress": {"done": int, "total": int, "text": str}}, and is saved at
    most once a second: never within a transaction of the work, where nobody could see it.
    """

    def __init__(self, job):
        super().__init__(job)
        self._reported = 0.0

    @contextmanager
    def tracked(self):
        """Run the body as one request of the job's user: one change-log request, events when it ends."""
        request = request_of(self.job.user)
        with event_tracking(request):
            yield request

    def report(self, done: int, total: int, text: str = "") -> None:
        """Keep how far the work is. `total` 0: not known yet."""
        now = time.monotonic()
        if done < total and now - self._reported < _SECONDS_BETWEEN_REPORTS:
            return
        self._reported = now
        self.keep(progress={"done": done, "total": total, "text": str(text)})

    def keep(self, **values: Any) -> None:
        """Add plain values to the job's data, for the page that shows it. Never a secret."""
        self.job.data = {**(self.job.data or {}), **values}
        self.job.save(update_fields=["data"])
