"""What the tests of syncs share: a sync with a sample server, and the mirror as plain values."""

from contextlib import closing

import psycopg
from django.db import connection

from dev.sample_peeringdb.server import API_KEY, serve
from netbox_peering_manager.models import PeeringDBRefusedRow, PeeringDBWatermark
from netbox_peering_manager.models.peeringdb import MIRROR
from netbox_peering_manager.services.peeringdb.sync import sync
from tests.peeringdb.clients import client_of


def sync_with(server, *, key=API_KEY, client=None, **options):
    """One sync with a sample server, with a key unless told otherwise. Returns its record."""
    with client or client_of(server, api_key=key) as asked:
        return sync(client=asked, **options)


def mirrored(*tags):
    """The mirror by tag and id, each row a dict of its columns."""
    return {tag: {row["id"]: row for row in MIRROR[tag].objects.values()} for tag in tags or MIRROR}


def empty_mirror():
    """As before the first sync."""
    for model in (*MIRROR.values(), PeeringDBRefusedRow, PeeringDBWatermark):
        rows = model.objects.all()
        rows._raw_delete(rows.db)


def fresh(world):
    """The mirror as a first sync with this world would leave it; the one that is there is lost."""
    empty_mirror()
    with serve(world) as server:
        sync_with(server)
        return mirrored()


class Killed(BaseException):
    """Ends a sync as nothing that it catches would."""


def stopping_at(number):
    """A progress callback that raises when it is called for the n-th time."""
    calls = iter(range(number))

    def progress(told):
        if next(calls, None) is None:
            raise Killed(told.stage)

    return progress


def total(run, *names):
    """The sums of these counts over all types."""
    return tuple(sum(counts[name] for counts in run.counts.values()) for name in names)


def outside(database=None):
    """Another connection to the database of the tests, or to that one."""
    settings = connection.settings_dict
    return closing(
        psycopg.connect(
            host=settings["HOST"],
            port=settings["PORT"],
            user=settings["USER"],
            password=settings["PASSWORD"],
            dbname=database or settings["NAME"],
            autocommit=True,
        )
    )
