"""
Expressions that let PostgreSQL hand over plain values: text instead of address objects, arrays instead of
further queries.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Expression,
    F,
    Func,
    IntegerField,
    Model,
    TextField,
    Value,
)
from django.db.models.functions import Cast

__all__ = ("as_text", "family_of", "host_of", "id_in", "inet_of", "one_snapshot", "related_ids", "tag_slugs")


class _EqualsAny(Func):
    # One array parameter: "IN" would make Django handle, and PostgreSQL parse, one parameter per id.
    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    arity = 2
    output_field = BooleanField()


@contextmanager
def one_snapshot() -> Iterator[None]:
    """
    Let all queries within see the database at one moment, so that what they read fits together.

    Within a transaction that is under way already, which cannot be changed any more, they see what it sees.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def id_in(path: str, ids: Iterable[int]) -> Expression:
    """Return the condition that the id at `path` is one of `ids`; with no ids it fits nothing."""
    return _EqualsAny(F(path), Value(sorted(ids), output_field=ArrayField(BigIntegerField())))


def host_of(path: str) -> Func:
    """The address at `path` as text, without mask."""
    return Func(F(path), function="HOST", output_field=TextField())


def inet_of(path: str) -> Func:
    """
    The address at `path` without mask, to order by: inet values with masks would be ordered by network first.
    """
    return Func(host_of(path), function="INET", output_field=TextField())


def family_of(path: str) -> Func:
    """The IP version (4, 6) of the address at `path`."""
    return Func(F(path), function="FAMILY", output_field=IntegerField())


def as_text(path: str) -> Cast:
    """What stands at `path` as text: an address or prefix with its mask, JSON as it is written."""
    return Cast(F(path), TextField())


def tag_slugs(model: type[Model]) -> ArraySubquery:
    """The slugs of the row's tags, ascending: an array, empty when it has none."""
    from extras.models import TaggedItem

    return ArraySubquery(
        TaggedItem.objects.filter(
            content_type=ContentType.objects.get_for_model(model), object_id=models.OuterRef("pk")
        )
        .order_by("tag__slug")
        .values("tag__slug")
    )


def related_ids(many_to_many: Any, owner: str, related: str, of: str = "pk") -> ArraySubquery:
    """The ids at the far end of a many-to-many field of the row whose id stands at `of`, ascending."""
    through = many_to_many.through.objects
    return ArraySubquery(through.filter(**{owner: models.OuterRef(of)}).order_by(related).values(related))
