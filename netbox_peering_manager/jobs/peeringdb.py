"""Syncs with PeeringDB in the background: asked for by somebody, or at the interval that the settings name."""

from typing import Any

from django.utils.translation import gettext as _

from core.exceptions import JobFailed
from netbox.jobs import system_job

from ..exceptions import PeeringError
from ..services.peeringdb.sync import Progress, explained, sync
from ..settings import PLUGIN, get_setting
from .base import PeeringJob, SystemJob, served

__all__ = ("QUEUE", "PeeringDBSyncJob")

QUEUE = f"{PLUGIN}.peeringdb"
# A first sync takes a minute, but PeeringDB may make it wait (peeringdb_max_wait_s) for each of its types.
TIMEOUT_S = 2 * 3600


class PeeringDBSyncJob(SystemJob, PeeringJob):
    """
    Sync with PeeringDB. Its data hold the progress, and at the end the id of the sync's record as "sync".

    It runs on the plugin's queue when a worker takes jobs from there (one that may reach PeeringDB), else on NetBox's
    default queue, which every installation serves.
    """

    class Meta:
        name = "PeeringDB Sync"

    @classmethod
    def queue(cls) -> str:
        """Return the queue that a job would wait in now."""
        return served(QUEUE)

    @classmethod
    def enqueue(cls, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("queue_name", cls.queue())
        if not kwargs.get("immediate"):
            kwargs.setdefault("job_timeout", TIMEOUT_S)
        return super().enqueue(*args, **kwargs)

    def run(
        self, *, full: bool = False, tags: tuple[str, ...] = (), asn: int | None = None, **kwargs: Any
    ) -> None:
        if self.job.interval and not get_setting("peeringdb_sync_interval"):
            # Planned before the setting became 0.
            self.job.interval = None
            self.logger.info(_("Nothing was done: peeringdb_sync_interval is 0."))
            return
        try:
            run = sync(full=full, tags=tags, asn=asn, user=self.job.user, progress=self._progress)
        except PeeringError as error:
            self.job.error = explained(error)
            self.logger.error(self.job.error)
            raise JobFailed from error
        for line in run.message.splitlines():
            self.logger.warning(line)
        self.keep(sync=run.pk)

    def _progress(self, progress: Progress) -> None:
        # Between the two of them a transaction is open, in which nobody would see the progress.
        if progress.stage != "merged":
            self.report(progress.done, progress.total, _text(progress))


def _text(progress: Progress) -> str:
    match progress.stage:
        case "fetching":
            return _("Fetching {tag}: {rows} rows").format(tag=progress.tag, rows=progress.rows)
        case "fetched":
            return _("{tag}: {rows} rows fetched").format(tag=progress.tag, rows=progress.rows)
        case "merging":
            return _("Bringing the mirror in line")
        case _:
            return _("Bringing NetBox in line")


# 0: no syncs but those that somebody asks for.
if interval := get_setting("peeringdb_sync_interval"):
    system_job(interval)(PeeringDBSyncJob)
