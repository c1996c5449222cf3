"""Puts the rows of a sample PeeringDB (dev.sample_peeringdb) into the mirror in one go, without HTTP and sync."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.utils import timezone

from netbox_peering_manager.models.peeringdb import MIRROR, PeeringDBWatermark

EMPTY = {models.TextField: "", models.BooleanField: False, ArrayField: []}
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
            rows = [mirrored(model, row) for row in world.rows(tag)]
            model.objects.bulk_create(rows, batch_size=BATCH)
            mark(tag, rows)


def mirrored(model, row):
    """Return a row of PeeringDB as an instance of its mirror model: known fields as columns, the rest in `extra`."""
    columns = {field.name: field for field in model._meta.concrete_fields if field.name != "extra"}
    values = {name: _value(field, row.get(name)) for name, field in columns.items()}
    extra = {name: value for name, value in row.items() if name not in columns}
    return model(**values, extra=extra)


def mark(tag, rows):
    """Say that the mirror has all of a type as of now, and what the newest of `rows` (instances) is."""
    now = timezone.now()
    newest = max((int(row.updated.timestamp()) for row in rows), default=int(now.timestamp()))
    PeeringDBWatermark.objects.update_or_create(
        tag=tag, defaults={"updated": newest, "synced": now, "compared": now}
    )


def _value(field, value):
    if value is None or (value == "" and field.null):
        return None if field.null else EMPTY[type(field)]
    if isinstance(field, models.DateTimeField):
        return datetime.fromisoformat(value)
    return value
