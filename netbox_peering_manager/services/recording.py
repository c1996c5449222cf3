"""
Bulk writes that leave what single ones would have left: change log, events, search index.

QuerySet.bulk_create() and bulk_update() send no signals, so nobody hears of what they did. Here a batch costs a fixed
number of queries per model, and its rows are heard of all the same: every receiver of post_save gets each row (the
search index, counters, other plugins), except that the change records, one query per row in NetBox's own receiver, are
written together.

Outside a request (`netbox.context.current_request`) nothing is recorded, as with single writes. A request without a
user (NetBox's scheduler) is recorded under SYSTEM_NAME.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, router, transaction
from django.db.models import prefetch_related_objects
from django.db.models.signals import post_save
from django.utils import timezone
from django_prometheus.models import model_inserts, model_updates

from core.choices import ObjectChangeActionChoices
from core.events import OBJECT_CREATED, OBJECT_UPDATED
from core.models import ObjectChange
from extras.events import enqueue_event
from extras.models import Subscription
from extras.signals import notify_object_changed
from netbox.context import current_request, events_queue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from django.http import HttpRequest

SYSTEM_NAME = "netbox_peering_manager"
# A receiver of post_save with such an attribute is not given row by row: that is called once, with rows and `created`.
FOR_MANY = "for_many"


def bulk_create[M: models.Model](
    rows: "Sequence[M]", *, without: "Collection[Callable[..., Any]]" = ()
) -> list[M]:
    """
    Insert rows of one model, validated by the caller, and record each as made. Returns them, with primary keys.

    All or none. Database errors (IntegrityError) are the caller's to explain. `without` names receivers of post_save
    that are not to hear of the rows, because the caller does for all of them what they would do for each.
    """
    if not rows:
        return []
    with transaction.atomic():
        made = type(rows[0])._default_manager.bulk_create(rows)
        _record(made, created=True, without=without)
    return made


def record_created(rows: "Sequence[models.Model]") -> None:
    """
    Record rows of one model as made that the caller inserted with QuerySet.bulk_create(), because it had to look at
    them (or give them tags) before it was settled that they stay. In the transaction that inserted them.
    """
    if rows:
        _record(rows, created=True)


def bulk_update[M: models.Model](rows: "Sequence[M]", fields: "Sequence[str]") -> None:
    """
    Write `fields` of rows of one model, and record each as changed.

    The caller took `row.snapshot()` of each before it changed it, and validated it. All or none.
    """
    if not rows:
        return
    model = type(rows[0])
    written = set(fields)
    if any(field.name == "last_updated" for field in model._meta.fields):
        now = timezone.now()
        written.add("last_updated")
        for row in rows:
            row.last_updated = now  # type: ignore[attr-defined]
    with transaction.atomic():
        model._default_manager.bulk_update(rows, sorted(written))
        _record(rows, created=False)


def snapshot_all(rows: "Sequence[models.Model]") -> None:
    """Take the snapshot of each row before it is changed, with two queries for all of their tags at most."""
    _read_tags(rows)
    for row in rows:
        row.snapshot()  # type: ignore[attr-defined]


def _record(
    rows: "Sequence[models.Model]", *, created: bool, without: "Collection[Callable[..., Any]]" = ()
) -> None:
    request = current_request.get()
    if request is not None and hasattr(rows[0], "to_objectchange"):
        _read_tags(rows)
        _record_changes(rows, request, created=created)
    # Without a request, so that NetBox's receiver leaves the change records to us.
    token = current_request.set(None)
    try:
        _tell_receivers(rows, created=created, without=without)
    finally:
        current_request.reset(token)


def _tell_receivers(
    rows: "Sequence[models.Model]", *, created: bool, without: "Collection[Callable[..., Any]]"
) -> None:
    """
    Give each row to each receiver of post_save, but rows that nobody is subscribed to not to NetBox's notifications:
    these would look for the subscribers of a changed row one by one.
    """
    model = type(rows[0])
    said = {"created": created, "raw": False, "using": router.db_for_write(model), "update_fields": None}
    subscribed = set() if created else _subscribed(rows)
    # A private method of Django: its public send() cannot leave one receiver out.
    receivers = [each for each in post_save._live_receivers(model)[0] if each not in without]
    for many in filter(None, (getattr(each, FOR_MANY, None) for each in receivers)):
        many(rows, created=created)
    receivers = [each for each in receivers if not hasattr(each, FOR_MANY)]
    for row in rows:
        for receiver in receivers:
            if receiver is not notify_object_changed or row.pk in subscribed:
                receiver(signal=post_save, sender=model, instance=row, **said)


def _subscribed(rows: "Sequence[models.Model]") -> set[Any]:
    of_type = Subscription.objects.filter(object_type=ContentType.objects.get_for_model(type(rows[0])))
    return set(of_type.filter(object_id__in=[row.pk for row in rows]).values_list("object_id", flat=True))


def _record_changes(rows: "Sequence[models.Model]", request: "HttpRequest", *, created: bool) -> None:
    """Do for many rows what core.signals.handle_changed_object does for one."""
    action = ObjectChangeActionChoices.ACTION_CREATE if created else ObjectChangeActionChoices.ACTION_UPDATE
    changes = [row.to_objectchange(action) for row in rows]  # type: ignore[attr-defined]
    changes = [change for change in changes if change and change.has_changes]
    user = request.user if getattr(request.user, "pk", None) else None
    for change in changes:
        change.user = user
        change.user_name = user.get_username() if user else SYSTEM_NAME
        change.request_id = request.id  # type: ignore[attr-defined]
    for change in ObjectChange.objects.bulk_create(changes):
        # For netbox-branching, which follows the change log.
        post_save.send(
            sender=ObjectChange,
            instance=change,
            created=True,
            raw=False,
            using=router.db_for_write(ObjectChange),
            update_fields=None,
        )
    queue = events_queue.get()
    counter = (model_inserts if created else model_updates).labels(rows[0]._meta.model_name)
    for row in rows:
        enqueue_event(queue, row, request, OBJECT_CREATED if created else OBJECT_UPDATED)
        counter.inc()
    events_queue.set(queue)


def _read_tags(rows: "Sequence[models.Model]") -> None:
    """Read the many-to-many fields that a change record holds, for all rows at once."""
    names = [field.name for field in rows[0]._meta.many_to_many] if rows else []
    if hasattr(rows[0] if rows else None, "tags") and "tags" not in names:
        names.append("tags")
    if names:
        # Filled once and for all: a content type is looked up for each row else.
        ContentType.objects.get_for_model(type(rows[0]))
        prefetch_related_objects(list(rows), *names)
