"""docs/reference/models.md lists every field of every public model, and nothing else."""

import pytest

from netbox_peering_manager import models
from tests.docs.markdown import sections, tables

PAGE = "reference/models.md"
EVERY_MODEL = "Every model"
PUBLIC = [
    model
    for model in (getattr(models, name) for name in models.__all__)
    if isinstance(model, type) and not getattr(model, "_netbox_private", False)
]


def documented(section):
    """The fields that a section documents: name to (type, required)."""
    return {
        row[0].strip("|` "): (row[1], row[2]) for table in tables(sections(PAGE)[section]) for row in table
    }


def shared(model):
    """What the section about every model says of this one: nothing of a record that is no object of NetBox's."""
    return documented(EVERY_MODEL) if hasattr(model, "custom_field_data") else {}


def fields_of(model):
    """The fields that a user can meet: columns and tags, not what other models hold of it."""
    own = {
        field.name: field for field in model._meta.get_fields() if field.concrete and not field.one_to_many
    }
    return own | {"id": model._meta.pk}


@pytest.mark.parametrize("model", PUBLIC, ids=lambda model: model.__name__)
def test_every_field_is_documented_and_no_other(model):
    assert set(documented(model.__name__)) | set(shared(model)) == set(fields_of(model))


@pytest.mark.parametrize("model", PUBLIC, ids=lambda model: model.__name__)
def test_required_and_reference_types_are_right(model):
    told = shared(model) | documented(model.__name__)
    for name, (kind, required) in told.items():
        field = fields_of(model)[name]
        optional = (
            getattr(field, "blank", False)
            or field.has_default()
            or not field.editable
            or name in ("id", "tags")
        )
        assert required == ("no" if optional or kind == "true or false" else "yes"), (
            f"{model.__name__}.{name}"
        )
        if field.is_relation:
            assert kind.startswith(field.related_model.__name__), f"{model.__name__}.{name}"


def test_every_section_is_a_model():
    headings = set(sections(PAGE)) - {"Models", EVERY_MODEL, "What has no page of its own"}
    assert headings == {model.__name__ for model in PUBLIC}
