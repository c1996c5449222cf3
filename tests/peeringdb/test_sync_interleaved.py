"""Days, syncs and syncs that are killed, in any order: the next good sync leaves the mirror as a first one would."""

import random
from contextlib import suppress

import pytest

from dev.sample_peeringdb.days import next_day
from dev.sample_peeringdb.server import serve
from netbox_peering_manager.models import PeeringDBSync
from netbox_peering_manager.services.peeringdb.sync import running
from tests.peeringdb.syncing import Killed, fresh, mirrored, stopping_at, sync_with, total

pytestmark = pytest.mark.django_db

STEPS = 8
# Of these each has days between syncs that were killed, incremental and full.
SEEDS = (9, 10, 12)
# About as often a sync of all types tells of its progress; one that would be killed later ends well.
MOMENTS = 60


class Fate:
    """What happens to a mirror, drawn step by step."""

    def __init__(self, seed, world, server):
        self.drawn = random.Random(seed)
        self.world = world
        self.server = server
        self.told = []

    def step(self):
        all_there_is = (self.day, self.killed, self.killed_in_full, self.good, self.one_network)
        [happens] = self.drawn.choices(all_there_is, weights=(3, 2, 2, 1, 1))
        self.told.append(f"{happens.__name__} {happens() or ''}".strip())

    def day(self):
        next_day(self.world, changes=self.drawn.randint(1, 40))

    def killed(self, **options):
        number = self.drawn.randrange(MOMENTS)
        with suppress(Killed):
            sync_with(self.server, progress=stopping_at(number), **options)
        return PeeringDBSync.objects.first().status

    def killed_in_full(self):
        return self.killed(full=True)

    def good(self):
        sync_with(self.server)

    def one_network(self):
        asn = self.drawn.choice(self.world.rows("net"))["asn"]
        sync_with(self.server, asn=asn)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happened_a_good_sync_leaves_the_mirror_as_a_first_one_would(pristine_town, seed):
    world = pristine_town.copy()
    with serve(world) as server:
        fate = Fate(seed, world, server)
        for _step in range(STEPS):
            fate.step()
            assert running() is None, fate.told
        sync_with(server)
        after = mirrored()
        again = sync_with(server)
        assert total(again, "created", "updated", "deleted") == (0, 0, 0), fate.told
        assert mirrored() == after, fate.told
    assert after == fresh(world), fate.told
