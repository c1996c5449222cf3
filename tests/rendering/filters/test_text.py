"""Filters of text: what comes out is harmless, and different names stay different."""

import pytest

from netbox_peering_manager.services.rendering.filters import FILTERS


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("  Alder \n  AS64501 ", "Alder AS64501"),
        ("a\"b'c`d\\e", "a b c d e"),
        ("{{ 7*7 }}{% x %}{# y #}", "7 7 x y"),
        ("$(reboot); x | y & z > /etc/passwd", "(reboot) x y z /etc/passwd"),
        ("*/ evil /*", "/ evil /"),
        ("Zürich Ångström Łódź Straße", "Zurich Angstrom Lodz Strasse"),
        ("東京", "__"),
        ("a\u2028b\u00a0c\x00d\x1b[31me", "a b c d [31me"),
        ("NOC-12345, see (wiki) a/b_c@d=e+f:g", "NOC-12345, see (wiki) a/b_c@d=e+f:g"),
        ("½ ﬁ ² \u2013", "1_2 fi 2 -"),
        (None, ""),
        (64500, "64500"),
        ('"!"', ""),
    ],
)
def test_safe_string(value, wanted):
    assert FILTERS["safe_string"](value) == wanted


def test_safe_string_cuts_without_leaving_a_blank():
    assert FILTERS["safe_string"]("abc def", 4) == "abc"


def test_identifier_leaves_a_valid_name_alone():
    for name in ("PEER-IN", "v4.in", "a_b", "100-IN", "x" * 63):
        assert FILTERS["identifier"](name) == name


def test_identifier_keeps_different_names_different():
    names = [
        "PEER IN",
        "PEER/IN",
        "PEER  IN",
        "PEER_IN",
        "peer in",
        "PEER IN ",
        "x" * 64,
        "x" * 65,
        "100",
        "10.0",
    ]
    made = [FILTERS["identifier"](name) for name in names]
    assert len(set(made)) == len(names)
    assert all(FILTERS["identifier"](name) == name for name in made)


def test_identifier_starts_with_no_sign_and_means_no_address_or_number():
    assert FILTERS["identifier"]("-x").startswith("x_")
    assert FILTERS["identifier"]("192.0.2.1").startswith("N192_0_2_1_")
    assert FILTERS["identifier"]("東京").startswith("N_")
    assert FILTERS["identifier"]("a.b", extra="_-").startswith("a_b_")
    assert len(FILTERS["identifier"]("long name " * 20, max_length=31)) == 31


def test_quote():
    assert FILTERS["quote"]('a"b\\c') == '"a\\"b\\\\c"'
    assert FILTERS["quote"]("it's", "'") == "'it\\'s'"


def test_as_json_and_as_yaml_are_in_order_and_in_unicode():
    value = {"b": [1, None], "a": "Zürich"}
    assert FILTERS["as_json"](value) == '{"a": "Zürich", "b": [1, null]}'
    assert FILTERS["as_json"](value, 1).count("\n") > 3
    assert FILTERS["as_yaml"](value) == "a: Zürich\nb:\n- 1\n- null"


def test_word():
    for name in ("swp1", "GigabitEthernet0/0/0/1.100", "ge-0/0/0.0", "Ethernet1/1", "eth0@if2"):
        assert FILTERS["word"](name) == name
