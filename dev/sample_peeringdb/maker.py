"""
What rows of a new world are made with: ids, times before the world begins, and places.
"""

import random
from dataclasses import dataclass

from dev.sample_peeringdb import rows
from dev.sample_peeringdb.world import DAY_S, stamp


@dataclass(frozen=True)
class Place:
    city: str
    country: str
    region: str
    latitude: float
    longitude: float


PLACES = (
    Place("London", "GB", "Europe", 51.51, -0.13),
    Place("Frankfurt", "DE", "Europe", 50.11, 8.68),
    Place("Amsterdam", "NL", "Europe", 52.37, 4.9),
    Place("Sao Paulo", "BR", "South America", -23.55, -46.63),
    Place("Ashburn", "US", "North America", 39.04, -77.49),
    Place("Singapore", "SG", "Asia Pacific", 1.35, 103.82),
    Place("Johannesburg", "ZA", "Africa", -26.2, 28.05),
    Place("Sydney", "AU", "Australia", -33.87, 151.21),
    Place("Dubai", "AE", "Middle East", 25.2, 55.27),
    Place("Warsaw", "PL", "Europe", 52.23, 21.01),
    Place("Tokyo", "JP", "Asia Pacific", 35.68, 139.69),
    Place("Toronto", "CA", "North America", 43.65, -79.38),
)
LONDON = PLACES[0]
# role, visibility and name of a network's contacts, in the order in which they are made
CONTACTS = (
    ("NOC", "Public", "NOC"),
    ("Policy", "Users", "Peering Coordinator"),
    ("Maintenance", "Private", "Maintenance"),
    ("Abuse", "Public", "Abuse Desk"),
    ("Technical", "Users", "Network Engineering"),
    ("Sales", "Public", "Sales"),
    ("Public Relations", "Users", "Press Office"),
)


class Maker:
    """Makes rows of an empty world, as its seed says."""

    def __init__(self, world):
        self.world = world
        self.rng = random.Random(f"{world.seed}/{world.size}")  # noqa: S311  (repeatable on purpose)
        # A few moments at which many rows were updated at once.
        self.busy = [world.now - self.rng.randrange(DAY_S, 900 * DAY_S) for _ in range(24)]

    def put(self, tag, *args, **more):
        """Make a row of a type (as `rows` has them) with the next id and put it into the world. Returns it."""
        return self.world.add(
            tag, getattr(rows, tag)(self.world.next_id(tag), *args, stamp=self.stamp(), **more)
        )

    def stamp(self):
        """(created, updated) of a row: before the world begins, one in ten at a moment shared with others."""
        rng = self.rng
        updated = (
            rng.choice(self.busy)
            if rng.random() < 0.1
            else self.world.now - int(DAY_S * (1 + 1000 * rng.random() ** 3))
        )
        return stamp(updated - int(DAY_S * 3000 * rng.random())), stamp(updated)
