"""`netbox peering_reencrypt`: re-encrypt session passwords after the first of the encryption keys changed."""

from django.core.management.base import BaseCommand, CommandError

from netbox_peering_manager.exceptions import SecretError
from netbox_peering_manager.services.secrets import reencrypt_all


class Command(BaseCommand):
    help = "Re-encrypt every session password with the first key of the setting encryption_keys (all or nothing)."

    def handle(self, *args, **options):
        try:
            count = reencrypt_all()
        except SecretError as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        self.stdout.write(f"{count} session password(s) re-encrypted.")
