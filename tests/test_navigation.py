"""The menu."""

import pytest
from django.urls import base, reverse

from netbox_peering_manager import navigation


def entries():
    items = [item for group in navigation.menu.groups for item in group.items]
    return [*items, *(button for item in items for button in item.buttons)]


def test_addresses_of_the_menu_are_looked_up_once_and_not_for_each_page(monkeypatch):
    addresses = {entry.link: str(entry.url) for entry in entries()}
    assert addresses == {link: reverse(link) for link in addresses}

    def no_more(*args):
        raise AssertionError("looked up again")

    monkeypatch.setattr(base, "get_resolver", no_more)
    with pytest.raises(AssertionError, match="looked up again"):
        reverse("home")
    assert {entry.link: str(entry.url) for entry in entries()} == addresses
