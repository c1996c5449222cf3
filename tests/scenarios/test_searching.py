"""What looks for secrets finds them."""

import zlib

import django_rq
import pytest
from django.core.cache import cache

from ipam.models import RIR

from tests.scenarios import searching

MARKER = "Marker-to-be-found"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "row", [{"description": f"before {MARKER} behind"}, {"custom_field_data": {"a": [MARKER]}}]
)
def test_marker_in_a_column_or_within_json_is_found(row):
    RIR.objects.create(name="any", slug="any", **row)
    assert set(searching.in_database([MARKER, "Not there"])) == {("ipam_rir", MARKER)}


@pytest.mark.parametrize("content", [MARKER.encode(), zlib.compress(f"before {MARKER}".encode())])
@pytest.mark.parametrize("kind", ["string", "hash", "list", "set", "zset"])
def test_marker_is_found_in_redis_compressed_or_not(kind, content):
    client, key = django_rq.get_connection("default"), f"searching:{kind}"
    put = {
        "string": lambda: client.set(key, content),
        "hash": lambda: client.hset(key, "field", content),
        "list": lambda: client.rpush(key, content),
        "set": lambda: client.sadd(key, content),
        "zset": lambda: client.zadd(key, {content: 1}),
    }
    put[kind]()
    try:
        assert (key, MARKER) in set(searching.in_redis([MARKER]))
    finally:
        client.delete(key)


def test_marker_is_found_in_the_cache():
    cache.set("searching", {"of": MARKER})
    try:
        assert any("searching" in key for key, _marker in searching.in_redis([MARKER]))
    finally:
        cache.delete("searching")
