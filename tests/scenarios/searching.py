"""Where a text lies: in every table of a database, in all of Redis, in files."""

import zlib
from collections.abc import Iterable, Iterator

import django_rq
from django.core.cache import cache
from django.db import connection


def in_database(markers: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (table, marker) for each table of which a row, written out as text, holds the marker."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            for marker in markers:
                cursor.execute(
                    f"SELECT EXISTS (SELECT FROM {name} AS t WHERE t::text LIKE %s)", [f"%{marker}%"]
                )
                if cursor.fetchone()[0]:
                    yield table, marker


def in_redis(markers: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (key, marker) for each key of the queues' and the cache's Redis of which the content holds the marker."""
    for client in (django_rq.get_connection("default"), cache.client.get_client()):
        for key in client.scan_iter():
            content = b"\n".join(_readable(value) for value in _values(client, key))
            for marker in markers:
                if marker.encode() in content:
                    yield key.decode(), marker


def _values(client, key) -> Iterable[bytes]:
    match client.type(key):
        case b"string":
            found = client.get(key)
            return [found] if found else []
        case b"hash":
            return [part for pair in client.hgetall(key).items() for part in pair]
        case b"list":
            return client.lrange(key, 0, -1)
        case b"set":
            return client.smembers(key)
        case b"zset":
            return client.zrange(key, 0, -1)
        case b"stream":
            return [part for _id, fields in client.xrange(key) for pair in fields.items() for part in pair]
        case _:
            return []


def _readable(value: bytes) -> bytes:
    """RQ and Django's cache compress what they keep."""
    try:
        return value + zlib.decompress(value)
    except zlib.error:
        return value
