"""`netbox peering_reencrypt`: re-encrypt what is kept after the first of the encryption keys changed."""

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from netbox_peering_manager.exceptions import SecretError
from netbox_peering_manager.services.deployment import sealed
from netbox_peering_manager.services.secrets import reencrypt_all


class Command(BaseCommand):
    help = (
        "Re-encrypt every session password, and what deployments have still to send, with the first key of the setting "
        "encryption_keys (all or nothing)."
    )

    def handle(self, *args, **options):
        try:
            with transaction.atomic():
                count, waiting = reencrypt_all(), sealed.reencrypt_all()
        except SecretError as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        self.stdout.write(f"{count} session password(s) and {waiting} deployment(s) re-encrypted.")
