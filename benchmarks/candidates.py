"""
Whom to peer with, at full size: the page of a LAN with 1,500 networks, and the ranking over all our exchanges.

Floors: one statement that knows less than the page, and its rows in the plainest table of HTML.
"""

import re
from collections.abc import Callable
from pathlib import Path

from django.db import connection
from django.test import Client
from django.urls import reverse
from jinja2 import Environment

from benchmarks.exchanges import OurSide
from benchmarks.measure import Result, compare
from dev.demo_network import OUR_ASN
from netbox_peering_manager.models import PeeringFabric

HERE = Path(__file__).parent
ROWS = 100
SHOWING = re.compile(r"Showing 1-(\d+) of (\d+)")
LEAST = Environment(autoescape=True).from_string(
    "{% for row in rows %}<tr>{% for cell in row.values() %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}"
)


def run(client: Client, side: OurSide, progress: Callable[[str], None]) -> list[Result]:
    """Open both pages as `client`, with our side of the PeeringDB in the mirror."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    progress("Available peers and ranking")
    return [available_peers(client, side.largest), peer_ranking(client, len(side.fabrics))]


def available_peers(client: Client, fabric: PeeringFabric) -> Result:
    """The tab of a fabric, the first 100 ports; `size` is how many there are."""
    address = reverse("plugins:netbox_peering_manager:peeringfabric_available_peers", args=[fabric.pk])
    return _page("available-peers", client, address, fabric=fabric.pk)


def peer_ranking(client: Client, exchanges: int) -> Result:
    """The ranking, its first 100 networks; `size` is the number of exchanges."""
    address = reverse("plugins:netbox_peering_manager:peer_ranking")
    return _page("peer-ranking", client, address, size=exchanges)


def _page(name: str, client: Client, address: str, size: int | None = None, **parameters: int) -> Result:
    statement = (HERE / f"{name}.sql").read_text()
    parameters |= {"asn": OUR_ASN, "size": ROWS}

    def whole() -> int:
        page = client.get(f"{address}?per_page={ROWS}").content.decode()
        shown = SHOWING.search(page)
        count, total = (int(shown[1]), int(shown[2])) if shown else (0, 0)
        if not total or count < min(ROWS, total) or page.count('<input type="checkbox" name="pk"') < count:
            raise AssertionError(f"{address} lacks rows")
        return total

    def floor() -> str:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return LEAST.render(rows=[row[0] for row in cursor.fetchall()])

    return compare(name, size or whole(), whole, floor)
