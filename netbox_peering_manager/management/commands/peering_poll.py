"""`netbox peering_poll [ROUTER …]`: ask routers for the states of their sessions, now and here."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from netbox_peering_manager.exceptions import PeeringError
from netbox_peering_manager.models import PeeringRouter
from netbox_peering_manager.services.monitoring.poll import poll
from netbox_peering_manager.services.tracking import recorded, request_of


class Command(BaseCommand):
    help = (
        "Ask routers for the states of their sessions, one after the other, without a worker. Without names: all "
        "routers whose polling is switched on. Exit code 0: all answered; 1: some did not, or there is no such router."
    )

    # They load every page of NetBox, which takes longer than most polls.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "routers", nargs="*", metavar="ROUTER", help="the name of a router's device, or its id"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        routers = self._routers(options["routers"])
        failed = [router for router in routers if not self._poll(router)]
        if failed:
            raise CommandError(f"{len(failed)} of {len(routers)} routers did not answer.")

    def _routers(self, names: list[str]) -> list[PeeringRouter]:
        everyone = list(PeeringRouter.objects.with_access())
        if not names:
            return [router for router in everyone if router.poll_enabled]
        known = {str(router.pk): router for router in everyone}
        # A name counts for more than an id.
        known |= {str(router): router for router in everyone}
        if unknown := [name for name in names if name not in known]:
            raise CommandError(
                "There is no peering router {names}. They are called: {known}.".format(
                    names=", ".join(unknown), known=", ".join(map(str, everyone)) or "-"
                )
            )
        return list(dict.fromkeys(known[name] for name in names))

    def _poll(self, router: PeeringRouter) -> bool:
        try:
            with recorded(request_of(None)):
                found = poll(router)
        except PeeringError as error:
            self.stderr.write(self.style.ERROR(str(error)))
            return False
        self.stdout.write(
            f"{router}: {found.established} of {found.sessions} sessions are Established, {found.missing} missing, "
            f"{found.changed} changed; {found.unknown} unknown neighbours"
        )
        return True
