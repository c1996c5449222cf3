"""Bulk writes: what they leave behind is what single ones leave, for a fixed number of queries."""

import uuid

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

from core.models import ObjectChange
from extras.models import CachedValue, Notification, Subscription, Tag
from ipam.models import RIR, IPAddress
from netbox.context import events_queue
from netbox.context_managers import event_tracking
from users.models import User
from utilities.request import NetBoxFakeRequest

from netbox_peering_manager.models import PeerASN, Relationship
from netbox_peering_manager.services import recording
from tests import factories

pytestmark = pytest.mark.django_db


def request_of(user):
    return NetBoxFakeRequest(
        {"META": {}, "POST": {}, "GET": {}, "FILES": {}, "user": user, "path": "", "id": uuid.uuid4()}
    )


@pytest.fixture
def user():
    return User.objects.create(username="operator")


def addresses(first, count):
    return [IPAddress(address=f"198.51.100.{first + number}/24") for number in range(count)]


def changes_of(rows):
    """What the change log says of these rows: plain values in the order of the rows, without what differs by design."""
    found = ObjectChange.objects.filter(
        changed_object_type=ContentType.objects.get_for_model(rows[0]),
        changed_object_id__in=[row.pk for row in rows],
    ).order_by("changed_object_id", "pk")
    return [
        (change.action, change.user, change.user_name, change.object_repr, change.prechange_data)
        for change in found
    ]


def without_times(data):
    return {name: value for name, value in data.items() if name not in ("created", "last_updated")}


def test_rows_made_together_leave_the_change_records_of_rows_made_singly(user):
    request = request_of(user)
    with event_tracking(request):
        single = IPAddress(address="198.51.100.1/24", description="x")
        single.save()
        (bulk,) = recording.bulk_create([IPAddress(address="198.51.100.1/24", description="x")])
    one, other = (
        ObjectChange.objects.get(changed_object_id=row.pk, request_id=request.id) for row in (single, bulk)
    )
    assert without_times(one.postchange_data) == without_times(other.postchange_data)
    assert changes_of([single]) == changes_of([bulk])
    assert other.user == user


def test_rows_changed_together_leave_the_change_records_of_rows_changed_singly(user):
    rows = [Relationship.objects.create(name=name, slug=name) for name in ("one", "two")]
    tag = Tag.objects.create(name="Gold", slug="gold")
    for row in rows:
        row.tags.add(tag)
    request = request_of(user)
    with event_tracking(request):
        single = Relationship.objects.get(slug="one")
        single.snapshot()
        single.description = "changed"
        single.save()
        bulk = Relationship.objects.get(slug="two")
        recording.snapshot_all([bulk])
        bulk.description = "changed"
        recording.bulk_update([bulk], ["description"])
    one, other = (ObjectChange.objects.get(changed_object_id=row.pk, request_id=request.id) for row in rows)
    for data in ("prechange_data", "postchange_data"):
        names = ("name", "slug")
        left, right = (without_times(getattr(change, data)) for change in (one, other))
        assert {k: v for k, v in left.items() if k not in names} == {
            k: v for k, v in right.items() if k not in names
        }
    assert other.prechange_data["description"] == ""
    assert other.postchange_data["description"] == "changed"
    assert other.postchange_data["tags"] == ["Gold"]


def test_rows_changed_together_get_a_new_time_of_last_update():
    row = factories.make_peer_asn(64496)
    before = PeerASN.objects.get().last_updated
    row.snapshot()
    row.name = "Example"
    recording.bulk_update([row], ["name"])
    after = PeerASN.objects.get()
    assert after.name == "Example"
    assert after.last_updated > before


def test_a_row_that_is_written_unchanged_leaves_no_change_record(user):
    row = factories.make_peer_asn(64496, name="Example")
    with event_tracking(request_of(user)):
        recording.snapshot_all([row])
        recording.bulk_update([row], ["name"])
    assert changes_of([row]) == []


def test_events_are_queued_for_each_row(user):
    with event_tracking(request_of(user)):
        made = recording.bulk_create(addresses(1, 3))
        assert {event["object"].pk for event in events_queue.get().values()} == {row.pk for row in made}
        assert {event["event_type"] for event in events_queue.get().values()} == {"object_created"}
        events_queue.set({})


def test_rows_made_together_are_found_by_the_search(django_capture_on_commit_callbacks, user):
    with django_capture_on_commit_callbacks(execute=True), event_tracking(request_of(user)):
        made = recording.bulk_create(addresses(1, 3))
    found = CachedValue.objects.filter(
        object_type=ContentType.objects.get_for_model(IPAddress), field="address"
    )
    assert set(found.values_list("object_id", flat=True)) == {row.pk for row in made}


@pytest.mark.parametrize("size", [2, 40])
def test_queries_of_a_batch_do_not_grow_with_its_rows(user, size):
    with event_tracking(request_of(user)):
        recording.bulk_create(addresses(200, 1))
        with CaptureQueriesContext(connection) as queries:
            made = recording.bulk_create(addresses(1, size))
        assert len(queries) <= 6
        with CaptureQueriesContext(connection) as queries:
            recording.snapshot_all(made)
            for row in made:
                row.description = "changed"
            recording.bulk_update(made, ["description"])
        assert len(queries) <= 9, [q["sql"][:300] for q in queries][:14]
        events_queue.set({})


def test_subscribers_are_notified_of_a_row_that_is_changed_together_with_others(user):
    rows = [factories.make_peer_asn(number) for number in (64496, 64497)]
    Subscription.objects.create(user=user, object=rows[1])
    with event_tracking(request_of(user)):
        recording.snapshot_all(rows)
        for row in rows:
            row.name = "Example"
        recording.bulk_update(rows, ["name"])
        events_queue.set({})
    assert [notification.object for notification in Notification.objects.all()] == [rows[1]]


def test_receivers_of_other_plugins_hear_of_each_row_and_each_change_record(user):
    heard = []

    def hear(sender, instance, created, **kwargs):
        heard.append((sender._meta.model_name, created))

    post_save.connect(hear)
    try:
        with event_tracking(request_of(user)):
            made = recording.bulk_create(addresses(1, 2))
            recording.snapshot_all(made)
            for row in made:
                row.description = "changed"
            recording.bulk_update(made, ["description"])
            events_queue.set({})
    finally:
        post_save.disconnect(hear)
    assert (
        heard
        == [("objectchange", True)] * 2
        + [("ipaddress", True)] * 2
        + [("objectchange", True)] * 2
        + [("ipaddress", False)] * 2
    )


def test_changes_by_the_scheduler_are_recorded_under_the_plugins_name():
    with event_tracking(request_of(None)):
        made = recording.bulk_create(addresses(1, 1))
        events_queue.set({})
    assert [change[1:3] for change in changes_of(made)] == [(None, "netbox_peering_manager")]


def test_nothing_is_recorded_outside_a_request():
    made = recording.bulk_create(addresses(1, 2))
    assert changes_of(made) == []
    assert all(row.pk for row in made)


def test_a_batch_that_fails_leaves_nothing():
    same = factories.make_peer_asn(64496)
    rows = [PeerASN(asn=factories.make_asn(64497)), PeerASN(asn=same.asn)]
    with pytest.raises(IntegrityError), transaction.atomic():
        recording.bulk_create(rows)
    assert PeerASN.objects.count() == 1


def test_receiver_for_many_is_called_once_with_all_rows(monkeypatch):
    told = []

    def one(instance, **kwargs):
        told.append(instance)

    one.for_many = lambda rows, created: told.append((list(rows), created))
    post_save.connect(one, sender=RIR)
    try:
        made = recording.bulk_create([RIR(name=f"R{n}", slug=f"r{n}") for n in range(3)])
    finally:
        post_save.disconnect(one, sender=RIR)
    assert told == [(made, True)]
