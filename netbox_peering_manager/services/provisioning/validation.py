"""
Whether a row that is to be made is valid: all that full_clean() would look at, without a query for each row.

full_clean() reads what every foreign key leads to, asks whether each unique value is taken, and some models look for
more in clean(). All of that is known here from `ground`, or was made a moment ago:

- what foreign keys lead to was just read or made; nothing is looked up again;
- unique values are free because the row was looked for and not found. Should someone make it meanwhile, the database
  refuses it. Only link-local peers, which may be there already, are looked up;
- ipam.IPAddress.clean() looks for duplicates, which `rules` refuses, and for ranges that are marked as populated;
- netbox.models.BaseModel.clean() reads the object of a generic foreign key: the BGPPeer of an address family.

Fields, choices, custom fields and NetBox's CUSTOM_VALIDATORS are looked at by NetBox's own code, for every row. A test
tells when the methods that are mirrored here change in NetBox.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import F
from django.utils.translation import gettext as _

from core.models import ObjectType
from extras.models import CustomField
from ipam.models import IPAddress
from netbox.context import query_cache
from netbox.signals import post_clean
from netbox_routing.models import BGPPeer, BGPPeerAddressFamily

from .ground import Ground, host_of
from .new import NewSession
from .rules import FIELD_OF_ROW

if TYPE_CHECKING:
    from .inserting import HasRows


@contextmanager
def kept_look_ups(*models: type[models.Model]) -> Iterator[None]:
    """
    Look up what NetBox asks for each row (type and custom fields of its model) once, outside of a request as well;
    those of these models at once.
    """
    token = query_cache.set(defaultdict(dict)) if query_cache.get() is None else None
    try:
        types = query_cache.get()["object_types"]
        if wanted := [model for model in models if (model, True) not in types]:
            found = ObjectType.objects.get_for_models(*wanted)
            types.update({(model, True): object_type for model, object_type in found.items()})
            _keep_custom_fields({object_type.pk: model for model, object_type in found.items()})
        yield
    finally:
        if token is not None:
            query_cache.reset(token)


def _keep_custom_fields(wanted: dict[int, type[models.Model]]) -> None:
    """Keep the custom fields of models, by the ids of their types, where CustomField.objects.get_for_model() looks."""
    kept = query_cache.get()["custom_fields"]
    for model in wanted.values():
        kept.setdefault(model._meta.model, [])
    # A row for each type that a field is for.
    fields = CustomField.objects.filter(object_types__in=wanted).annotate(kept_for=F("object_types"))
    for field in fields.select_related("related_object_type", "choice_set"):
        of_model = kept[wanted[field.kept_for]._meta.model]
        if field not in of_model:
            of_model.append(field)


def prepare(row: models.Model, rows: "HasRows") -> None:
    """Let a row know the keys of those that it refers to and that have been saved since it was built."""
    for name, related in list(row._state.fields_cache.items()):
        # By its name: Django forgets the object when its key alone is set.
        if isinstance(related, models.Model) and getattr(row, f"{name}_id", related.pk) != related.pk:
            setattr(row, name, related)
    owner = rows.owner_of(row)
    if isinstance(row, BGPPeerAddressFamily) and owner is not None and owner.pk is not None:
        row.assigned_object = owner


def check(row: models.Model, ground: Ground) -> None:
    """
    Raise ValidationError when a new row is not valid. Fills in what NetBox's forms and REST API would have filled in:
    the defaults of custom fields.
    """
    _give_custom_fields(row)
    row.clean_fields(exclude={field.name for field in row._meta.fields if field.is_relation})
    if isinstance(row, IPAddress):
        _clean_address(row, ground)
    elif isinstance(row, BGPPeerAddressFamily):
        _clean_peer_family(row)
    else:
        row.clean()
    if isinstance(row, BGPPeer) and host_of(row.peer).is_link_local:
        row.validate_unique()
        row.validate_constraints()


def errors_by_field(error: ValidationError, row: models.Model) -> dict[str | None, list[str]]:
    """Return what a ValidationError of `row` says, by the field of a NewSession that it is about; None: by none."""
    errors: dict[str | None, list[str]] = {}
    for name, found in error.update_error_dict({}).items():
        mapped = _FIELD_OF.get(name, name)
        known = name != NON_FIELD_ERRORS and mapped in _OWN_FIELDS
        messages = errors.setdefault(mapped if known else FIELD_OF_ROW.get(type(row)), [])
        messages.extend(message for one in found for message in one.messages)
    return errors


# What the rows call what NewSession calls otherwise.
_FIELD_OF = {
    "asn": "remote_asn",
    "peer": "remote_ip",
    "address": "remote_ip",
    "peering_network": "connection",
}
_OWN_FIELDS = frozenset(NewSession.__dataclass_fields__)


def _give_custom_fields(row: models.Model) -> None:
    defaults = CustomField.objects.get_defaults_for_model(row)
    row.custom_field_data = {**defaults, **row.custom_field_data}  # type: ignore[attr-defined]


def _clean_address(row: IPAddress, ground: Ground) -> None:
    # All of IPAddress.clean() but its own body, of which the rest is about addresses that are assigned.
    super(IPAddress, row).clean()
    if row.address.prefixlen == 0:
        raise ValidationError({"address": _("Cannot create IP address with /0 mask.")})
    for reserved in ground.ranges:
        if (
            reserved.vrf_id == row.vrf_id
            and reserved.start_address.ip <= row.address.ip <= reserved.end_address.ip
        ):
            message = _("Cannot create IP address {ip} inside range {range}.")
            raise ValidationError({"address": message.format(ip=row.address, range=reserved)})


def _clean_peer_family(row: BGPPeerAddressFamily) -> None:
    """
    As row.clean(), with the object of the generic foreign key taken from the row instead of from the database.

    While it has none, NetBox's clean() reads none. `_replicated_base` is how NetBox holds custom validation back, so
    that validators can be given the row once it is complete.
    """
    peer = row.assigned_object
    row.assigned_object = None
    row._replicated_base = True
    try:
        row.clean()
    finally:
        del row._replicated_base
        row.assigned_object = peer
    post_clean.send(sender=type(row), instance=row)
