"""
Jinja filters that write one value as a platform's parser wants it: passwords and AS-path patterns. Pure, no
Django.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from jinja2 import Undefined
from jinja2.exceptions import FilterArgumentError

from .values import fail

# --- Passwords ----------------------------------------------------------------------------------------------


class SecretRule(NamedTuple):
    """
    How a platform writes a secret: `mark` around it, `escaped` by a backslash, `refused`, octets at most.
    """

    mark: str = ""
    escaped: str = ""
    refused: str = ""
    longest: int = 80


# 80 octets: what RFC 2385 recommends to support, and Linux's TCP_MD5SIG_MAXKEYLEN. An unquoted word can hold
# no blank, "?" asks for help on a terminal, and a quote means something else to some of these parsers.
BARE = SecretRule(refused=" ?\"'")
SECRET_RULES = {
    "bird": SecretRule(mark='"', refused='"'),
    "eos": BARE,
    "frr": SecretRule(refused=" "),
    "iosxe": BARE,
    "iosxr": BARE,
    "junos": SecretRule(mark='"', escaped='"\\', longest=126),
    "nxos": BARE,
    "openbgpd": SecretRule(mark='"', refused='"\\'),
    "routeros": SecretRule(mark='"', escaped='"\\$?'),
    "sros": SecretRule(mark='"', escaped='"\\'),
    "vyos": SecretRule(mark="'", refused="'\\"),
}


def secret(value: Any, platform: str) -> str:
    """
    A password as `platform` (frr, bird, openbgpd, vyos, iosxe, iosxr, eos, nxos, junos, sros, routeros) reads
    it.

    Quoted and escaped where the platform can; refused with an error where it would arrive altered: characters
    that the platform cannot take, anything but printable ASCII, too many octets. The error never shows the
    password.
    """
    rule = SECRET_RULES.get(platform) or fail(
        "secret", platform, f"is no platform: {', '.join(SECRET_RULES)}"
    )
    if value is None or value == "" or isinstance(value, Undefined):
        raise FilterArgumentError("secret: there is no password.")
    text = str(value)
    if not re.fullmatch(r"[ -~]+", text, re.ASCII):
        raise FilterArgumentError("secret: the password holds characters other than printable ASCII.")
    found = [character for character in rule.refused if character in text]
    if found:
        shown = " ".join("a blank" if character == " " else character for character in found)
        raise FilterArgumentError(f"secret: the password holds what {platform} cannot take: {shown}")
    if len(text) > rule.longest:
        raise FilterArgumentError(
            f"secret: the password is longer than the {rule.longest} characters of {platform}."
        )
    return rule.mark + "".join(f"\\{each}" if each in rule.escaped else each for each in text) + rule.mark


# --- AS-path patterns ---------------------------------------------------------------------------------------

ANY, MANY, PLUS = ".", ".*", "+"
Words = dict[str, Callable[[Any], str]]
AS_PATH_TOKEN = re.compile(
    r"(?P<gap>[_ ])|(?P<many>\.\*)|(?P<any>\[0-9\]\+)"
    r"|(?P<repeat>\(_(?P<again>\d+)\)(?P<sign>[*+]))|(?P<asn>\d+)"
    r"|\((?P<choice>\d+(?:\|\d+)*)\)"
)
AS_PATH_VENDORS = ("cisco", "junos", "sros", "bird", "openbgpd", "routeros")


def as_path_pattern(value: Any, vendor: str = "cisco") -> str:
    """
    An AS-path pattern, written as on Cisco's platforms, in a vendor's language: cisco, junos, sros, bird,
    openbgpd or routeros.

    cisco returns it as it is, once it holds nothing but what a pattern needs. The others match AS numbers,
    not characters, so they can say only patterns of whole numbers: `^$`, `^64500_`, `_64500_`, `_64500$`,
    `^64500_64501$`, `^64500(_64500)*$`, `^(64500|64501)_`, `[0-9]+` for any one AS, `.*` for any path.
    Everything else is an error, never a guess. openbgpd returns the words of a filter rule: "" for any path.
    """
    if vendor not in AS_PATH_VENDORS:
        fail("as_path_pattern", vendor, f"is no vendor: {', '.join(AS_PATH_VENDORS)}")
    text = str(value)
    if not re.fullmatch(r"[0-9_^$.*+?()\[\]| -]+", text, re.ASCII):
        fail("as_path_pattern", value, "is no AS-path pattern")
    writers: Words = {
        "cisco": str,
        "junos": _junos_path,
        "sros": _sros_path,
        "bird": _bird_path,
        "openbgpd": _openbgpd_path,
        "routeros": _routeros_path,
    }
    return writers[vendor](text)


def _path_terms(pattern: str) -> list[tuple[str, Any]]:
    """
    The pattern as terms that match a whole path: ("asn", 64500), ("plus", 64500), ("choice", [..]), (ANY,),
    (MANY,).
    """
    body = pattern.removeprefix("^").removesuffix("$")
    terms: list[tuple[str, Any]] = [] if pattern.startswith("^") else [(MANY, None)]
    # Whether a term may stand here: at an anchored start, after a gap, never right behind another number.
    apart, position = pattern.startswith("^"), 0
    while position < len(body):
        match = AS_PATH_TOKEN.match(body, position) or _no_path(pattern)
        position = match.end()
        term = _path_term(match, terms, pattern)
        first = term == (MANY, None) and not match.start()
        if term and not (apart or first or match["repeat"]):
            _no_path(pattern)
        if term:
            terms.append(term)
        apart = bool(match["gap"])
    if not pattern.endswith("$"):
        if not (apart or not body or terms[-1][0] == MANY):
            _no_path(pattern)
        terms.append((MANY, None))
    return _plain_gaps(terms)


def _plain_gaps(terms: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """MANY once where several follow each other; between two others it means at least one AS ("_.*_")."""
    single = [
        term for term, before in zip(terms, [None, *terms], strict=False) if term[0] != MANY or term != before
    ]
    ends = (0, len(single) - 1)
    return [
        each
        for index, term in enumerate(single)
        for each in ([(ANY, None), term] if term[0] == MANY and index not in ends else [term])
    ]


def _path_term(match: re.Match[str], terms: list[tuple[str, Any]], pattern: str) -> tuple[str, Any] | None:
    if match["gap"]:
        return None
    if match["repeat"]:
        number = int(match["again"])
        if not terms or terms[-1] != ("asn", number):
            _no_path(pattern)
        if match["sign"] == "+":
            return (PLUS, number)
        terms[-1] = (PLUS, number)
        return None
    if match["asn"]:
        return ("asn", int(match["asn"]))
    if match["choice"]:
        return ("choice", [int(part) for part in match["choice"].split("|")])
    return (MANY, None) if match["many"] else (ANY, None)


def _no_path(pattern: str) -> Any:
    fail("as_path_pattern", pattern, "has no equal in a language of whole AS numbers")


def _junos_path(pattern: str, empty: str = "()", many: str = ".*") -> str:
    words: Words = {
        "asn": str,
        PLUS: lambda asn: f"{asn}+",
        "choice": lambda asns: f"({'|'.join(map(str, asns))})",
        ANY: lambda _: ".",
        MANY: lambda _: many,
    }
    return " ".join(words[kind](value) for kind, value in _path_terms(pattern)) or empty


def _sros_path(pattern: str) -> str:
    return _junos_path(pattern, empty="null")


def _bird_path(pattern: str) -> str:
    words: Words = {
        "asn": str,
        PLUS: lambda asn: f"{asn} +",
        "choice": lambda asns: f"[{', '.join(map(str, asns))}]",
        ANY: lambda _: "?",
        MANY: lambda _: "*",
    }
    inner = " ".join(words[kind](value) for kind, value in _path_terms(pattern))
    return f"[= {inner} =]" if inner else "[= =]"


def _openbgpd_path(pattern: str) -> str:
    terms = _path_terms(pattern)
    kinds = [kind for kind, _ in terms]
    asns = [value for kind, value in terms if kind == "asn"]
    words = {
        ("asn", MANY): "peer-as",
        (MANY, "asn"): "source-as",
        (MANY, "asn", MANY): "AS",
    }
    if kinds == [MANY]:
        return ""
    return f"{words.get(tuple(kinds)) or _no_path(pattern)} {asns[0]}"


def _routeros_path(pattern: str) -> str:
    terms = _path_terms(pattern)
    if [kind for kind, _ in terms] == [MANY]:
        return MANY
    start = "" if terms and terms[0][0] == MANY else "^"
    end = "" if terms and terms[-1][0] == MANY else "$"
    words: Words = {
        "asn": str,
        PLUS: lambda asn: f"{asn}+",
        "choice": lambda asns: f"[{' '.join(map(str, asns))}]",
        ANY: lambda _: ANY,
        MANY: lambda _: MANY,
    }
    inner = terms[0 if start else 1 : len(terms) if end else -1]
    return start + " ".join(words[kind](value) for kind, value in inner) + end
