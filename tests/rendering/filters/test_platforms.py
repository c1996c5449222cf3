"""Filters that write a value as a platform's parser wants it: AS-path patterns and passwords."""

import pytest
from jinja2.exceptions import FilterArgumentError

from netbox_peering_manager.services.rendering.filters import FILTERS

PATTERNS = [
    ("^$", "()", "null", "[= =]", None, "^$"),
    ("^64500_", "64500 .*", "64500 .*", "[= 64500 * =]", "peer-as 64500", "^64500"),
    ("_64500_", ".* 64500 .*", ".* 64500 .*", "[= * 64500 * =]", "AS 64500", "64500"),
    ("_64500$", ".* 64500", ".* 64500", "[= * 64500 =]", "source-as 64500", "64500$"),
    ("^64500$", "64500", "64500", "[= 64500 =]", None, "^64500$"),
    ("^64500(_64500)*$", "64500+", "64500+", "[= 64500 + =]", None, "^64500+$"),
    (
        "^(64500|64501)_",
        "(64500|64501) .*",
        "(64500|64501) .*",
        "[= [64500, 64501] * =]",
        None,
        "^[64500 64501]",
    ),
    ("^[0-9]+$", ".", ".", "[= ? =]", None, "^.$"),
    (".*", ".*", ".*", "[= * =]", "", ".*"),
    ("^64500_.*$", "64500 .*", "64500 .*", "[= 64500 * =]", "peer-as 64500", "^64500"),
    # "_.*_" has two delimiters, so at least one AS stands between them.
    ("^1_.*_2$", "1 . .* 2", "1 . .* 2", "[= 1 ? * 2 =]", None, "^1 . .* 2$"),
    # Parts of numbers: Cisco's characters can say that, whole AS numbers cannot.
    ("^64500", None, None, None, None, None),
    ("64500", None, None, None, None, None),
    ("^64500.*", None, None, None, None, None),
    (".*64500$", None, None, None, None, None),
    ("_6450[0-9]_", None, None, None, None, None),
    ("^64500(_64501)*$", None, None, None, None, None),
]


@pytest.mark.parametrize(("pattern", "junos", "sros", "bird", "openbgpd", "routeros"), PATTERNS)
def test_as_path_pattern(pattern, junos, sros, bird, openbgpd, routeros):
    assert FILTERS["as_path_pattern"](pattern) == pattern
    wanted = {"junos": junos, "sros": sros, "bird": bird, "openbgpd": openbgpd, "routeros": routeros}
    for vendor, text in wanted.items():
        if text is None:
            with pytest.raises(FilterArgumentError, match="has no equal"):
                FILTERS["as_path_pattern"](pattern, vendor)
        else:
            assert FILTERS["as_path_pattern"](pattern, vendor) == text


@pytest.mark.parametrize(
    ("platform", "value", "wanted"),
    [
        ("frr", 'a"b!#', 'a"b!#'),
        ("bird", "a b\\c", '"a b\\c"'),
        ("junos", 'a"b\\c d', '"a\\"b\\\\c d"'),
        ("sros", 'a"b', '"a\\"b"'),
        ("routeros", "a$b", '"a\\$b"'),
        ("vyos", 'a"b $c', "'a\"b $c'"),
        ("openbgpd", "a b#c", '"a b#c"'),
        ("iosxe", "abc!", "abc!"),
    ],
)
def test_secret_is_quoted_as_the_platform_reads_it(platform, value, wanted):
    assert FILTERS["secret"](value, platform) == wanted


@pytest.mark.parametrize(
    ("platform", "value"),
    [
        ("frr", "one two"),
        ("iosxe", "a?b"),
        ("bird", 'a"b'),
        ("openbgpd", "a\\b"),
        ("vyos", "it's"),
        ("eos", "ü"),
        ("nxos", ""),
    ],
)
def test_secret_refuses_without_showing_the_secret(platform, value):
    with pytest.raises(FilterArgumentError, match=r"^secret: ") as error:
        FILTERS["secret"](value, platform)
    assert not value or value not in str(error.value)
