"""`netbox peeringdb_sync`: bring the mirror of PeeringDB, and with it NetBox, in line with PeeringDB."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from netbox_peering_manager.exceptions import PeeringError, SyncRunning
from netbox_peering_manager.models import PeeringDBSync
from netbox_peering_manager.models.peeringdb import MIRROR
from netbox_peering_manager.services.peeringdb.sync import Progress, explained, sync

# Exit codes beside 0 and 1, so that a cron job can tell them apart: what a shell gives after Ctrl-C, and our own.
STOPPED, RUNS_ALREADY = 130, 3
COUNTS = ("created", "updated", "unchanged", "deleted", "refused")


class Command(BaseCommand):
    help = (
        "Fetch from PeeringDB what changed since the last sync, and let peer ASNs and networks follow. "
        "Exit code 0: done; 1: failed, and it says whether the mirror was left as it was; 3: another sync runs; "
        "130: stopped."
    )

    # They load every page of NetBox, which takes longer than most syncs.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--full",
            action="store_true",
            help="fetch everything and compare: finds what was deleted without a trace",
        )
        parser.add_argument(
            "--only",
            action="append",
            choices=MIRROR,
            metavar="TAG",
            default=[],
            help=f"only this type, may be repeated: {', '.join(MIRROR)}",
        )
        parser.add_argument("--asn", type=int, help="only what belongs to the network with this AS number")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would change, and change nothing"
        )
        parser.add_argument(
            "--from-dumps",
            action="store_true",
            help="fetch whole lists from the public dumps of yesterday instead of from the API",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with self._progress() as progress:
                run = sync(
                    full=options["full"],
                    tags=options["only"],
                    asn=options["asn"],
                    dry_run=options["dry_run"],
                    from_dumps=options["from_dumps"],
                    progress=progress,
                )
        except SyncRunning as error:
            raise CommandError(str(error), returncode=RUNS_ALREADY) from error
        except PeeringError as error:
            raise CommandError(explained(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError(
                "Stopped. The next sync does what this one left.", returncode=STOPPED
            ) from error
        self._tell(run, dry_run=options["dry_run"])

    def _tell(self, run: PeeringDBSync, *, dry_run: bool) -> None:
        for line in table(run):
            self.stdout.write(line)
        followed = ", ".join(f"{model} {counts['updated']}" for model, counts in run.applied.items())
        self.stdout.write(f"{'Would be updated' if dry_run else 'Updated'} in NetBox: {followed}")
        for line in run.message.splitlines():
            self.stdout.write(self.style.WARNING(line))
        if dry_run:
            self.stdout.write("Nothing was changed: this was a trial.")

    @contextmanager
    def _progress(self) -> Iterator[Callable[[Progress], None]]:
        """What to call with the progress: a bar on a terminal, else a line for each type."""
        if not self.stdout.isatty():
            yield self._say
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Bar(*columns, console=Console(file=self.stdout), transient=True) as bar:
            task = bar.add_task("", total=None)
            yield lambda progress: bar.update(
                task, description=_text(progress), completed=progress.done, total=progress.total
            )

    def _say(self, progress: Progress) -> None:
        if progress.stage == "fetched" or (progress.stage in ("merging", "applying") and not progress.rows):
            self.stdout.write(_text(progress))


def _text(progress: Progress) -> str:
    if progress.stage in ("fetching", "fetched"):
        return f"{progress.tag}: {progress.rows} rows"
    return "NetBox follows" if progress.stage in ("applying", "applied") else "Merging"


def table(run: PeeringDBSync) -> Iterator[str]:
    """Yield the lines of a table of the counts by type, with their sums."""
    yield f"{'type':<12}" + "".join(f"{name:>11}" for name in COUNTS)
    sums = {name: sum(counts[name] for counts in run.counts.values()) for name in COUNTS}
    for tag, counts in {**run.counts, "all": sums}.items():
        yield f"{tag:<12}" + "".join(f"{counts[name]:>11}" for name in COUNTS)
