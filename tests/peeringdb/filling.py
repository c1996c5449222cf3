"""Puts the rows of a sample PeeringDB (dev.sample_peeringdb) into the mirror in one go, without HTTP and sync."""

from django.db import transaction
from django.utils import timezone

from netbox_peering_manager.models.peeringdb import MIRROR, PeeringDBWatermark
from netbox_peering_manager.services.peeringdb.records import parse

BATCH = 5000


def fill_mirror(world, *tags):
    """
    Empty the mirror's tables and fill them with the `ok` rows of `world`, of the types named (all when none is).

    `world.rows(tag)` gives dicts of PeeringDB's fields. Every filled type gets its watermark, as a full sync that
    ended now would leave it.
    """
    with transaction.atomic():
        for tag in tags or MIRROR:
            model = MIRROR[tag]
            model.objects.all().delete()
            rows = [mirrored(tag, row) for row in world.rows(tag)]
            model.objects.bulk_create(rows, batch_size=BATCH)
            mark(tag, rows)


def mirrored(tag, row):
    """Return a row of PeeringDB as an instance of its mirror model. RefusedRow when it does not fit."""
    return MIRROR[tag](**parse(tag, row)._asdict())


def mark(tag, rows):
    """Say that the mirror has all of a type as of now, and what the newest of `rows` (instances) is."""
    now = timezone.now()
    newest = max((int(row.updated.timestamp()) for row in rows), default=int(now.timestamp()))
    PeeringDBWatermark.objects.update_or_create(
        tag=tag, defaults={"updated": newest, "synced": now, "compared": now}
    )
