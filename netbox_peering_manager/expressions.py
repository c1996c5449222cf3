"""
What a BGPPeer inherits from its session template, that one's parent and so on, for queries.

The rule is that of `lineage`: the nearest that says something counts, and of templates that refer to each other in a
circle each is asked once.
"""

from django.apps import apps
from django.db.models import BigIntegerField, BooleanField, Field, Func
from django.db.models.functions import Coalesce

__all__ = ("FromSessionTemplate", "InheritsFromSessionTemplate", "remote_as_of", "remote_asn_of")


class FromSessionTemplate(Func):
    """
    What the session template with this id, or the nearest of its parents, says of a field; NULL when none does.

    `FromSessionTemplate("bgp_peer__peer_session_id", field="remote_as")`; of a relation it is the id.
    """

    arity = 1
    template = """(
        WITH RECURSIVE line AS (
            SELECT "parent_id", "%(column)s" AS said, ARRAY["id"] AS seen
            FROM "netbox_routing_bgpsessiontemplate" WHERE "id" = %(expressions)s
            UNION ALL
            SELECT parent."parent_id", parent."%(column)s", line.seen || parent."id"
            FROM line JOIN "netbox_routing_bgpsessiontemplate" AS parent ON parent."id" = line."parent_id"
            WHERE line.said IS NULL AND parent."id" <> ALL(line.seen)
        )
        SELECT said FROM line WHERE said IS NOT NULL)"""

    def __init__(self, template_id, *, field: str, **extra):
        said = _field(field)
        super().__init__(
            template_id, output_field=getattr(said, "target_field", said), column=said.column, **extra
        )


class InheritsFromSessionTemplate(Func):
    """
    Whether the session template with the first id says of a relation, itself or by its parents, the second id.

    The same as comparing FromSessionTemplate, from the other end: the templates that say so are few and are found
    once, and an index on the first id serves.
    """

    arity = 2
    output_field = BooleanField()
    template = """%(template_id)s = ANY(ARRAY(
        WITH RECURSIVE line AS (
            SELECT "id" FROM "netbox_routing_bgpsessiontemplate" WHERE "%(column)s" = %(value)s
            UNION
            SELECT child."id"
            FROM line JOIN "netbox_routing_bgpsessiontemplate" AS child ON child."parent_id" = line."id"
            WHERE child."%(column)s" IS NULL
        )
        SELECT "id" FROM line))"""

    def __init__(self, template_id, value, *, field: str, **extra):
        super().__init__(template_id, value, column=_field(field).column, **extra)

    def as_sql(self, compiler, connection):
        (template_id, of_id), (value, of_value) = map(compiler.compile, self.source_expressions)
        parts = {**self.extra, "template_id": template_id, "value": value}
        return self.template % parts, (*of_id, *of_value)


def remote_as_of(bgp_peer: str = "") -> Coalesce:
    """
    The id of a BGPPeer's remote AS: its own, else its session template's, else its peer group's.

    `bgp_peer` is the look-up that leads to the BGPPeer, "" in a query of BGPPeers.
    """
    path = f"{bgp_peer}__" if bgp_peer else ""
    return Coalesce(
        f"{path}remote_as_id",
        FromSessionTemplate(f"{path}peer_session_id", field="remote_as"),
        f"{path}peer_group__remote_as_id",
    )


def remote_asn_of(bgp_peer: str = "") -> Coalesce:
    """The number of that AS."""
    path = f"{bgp_peer}__" if bgp_peer else ""
    inherited = FromSessionTemplate(f"{path}peer_session_id", field="remote_as")
    return Coalesce(
        f"{path}remote_as__asn",
        Func(inherited, template='(SELECT "asn" FROM "ipam_asn" WHERE "id" = %(expressions)s)'),
        f"{path}peer_group__remote_as__asn",
        output_field=BigIntegerField(),
    )


def _field(name: str) -> Field:
    return apps.get_model("netbox_routing", "BGPSessionTemplate")._meta.get_field(name)
