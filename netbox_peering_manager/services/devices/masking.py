"""
Takes secrets out of what is shown, stored or raised: configurations, differences, what a router or a driver said. Pure.

First what is known to be secret, however a program spells it; then what a line shows to be one, in the notation of any
platform: FRR, BIRD, OpenBGPD, VyOS, IOS, IOS-XR, EOS, NX-OS, Junos, SR OS, RouterOS, VRP. In doubt it is masked: a
word too many is lost rather than a password shown.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator

from ..secrets import MASK

__all__ = ("MASK", "masked", "secrets_of")

# Shorter ones are masked as whole words only: a password "a" would leave no text.
SHORT = 4
# Of a value of several lines (a private key), shorter lines are no secret by themselves.
SHORT_LINE = 8

# --- What follows a word that announces a secret. Each takes the value as the group "value". ---

# A closed quotation, with nothing stuck to it: FRR takes quotes for part of the password.
QUOTED = r'(?:"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')(?=[\s;,)\]}>]|$)'
# How the secret is written: type numbers, and the words that platforms have for them.
KIND = (
    r"(?:(?:0|[3-9]|8a|10|encrypted|clear|clear-text|cipher|irreversible-cipher|simple|plain|hashed|sha512|sha256|"
    r"md5|text|ascii-text|hexadecimal|ascii|level\s+\d+|password|line)[ \t]+)?"
)
# To the end of the line, as Cisco's platforms and FRR read it, but for what is known to stand behind.
REST = (
    rf"{KIND}(?P<value>{QUOTED}|[^\s\"'{{}}][^\n]*?(?=(?:;|[ \t]*\{{)?(?:[ \t]+\#\#[^\n]*)?[ \t]*$"
    r"|[ \t]+(?:role|hash2?|privilege|address|hostname|7$)(?:[ \t]|$))|[\"'][^\n]*)"
)
# One word or one quotation.
WORD = rf"{KIND}(?P<value>{QUOTED}|[\"'][^\n]*|[^\s\"';,<>{{}}]+)"

NAMED_SO = (
    r"password|passwd|passphrase|secret|authentication[-_]key|auth[-_]key|md5[-_]key|shared[-_]key|private[-_]key|"
    r"privacy[-_]key|priv[-_]key|key[-_]string|psk|api[-_]key|token"
)
# What no prose says: whatever follows is the secret.
STRONG = (
    r"authentication-key(?:[ \t]+\d+(?=[ \t]+\S+[ \t]+\S))?|(?:[\w-]{0,20}-)?md5-key|(?:[\w-]{0,20}-)?key-string|"
    r"pre-shared-key(?:[ \t]+(?:local|remote|address[ \t]+\S+))?|psk|"
    r"plain-?text-password(?:-value)?|encrypted-password|auth(?:entication)?-password|priv(?:acy)?-password|"
    r"auth-key|privacy-key|priv-key|private-key|shared-secret|shared-key|wpa-passphrase|enable-secret|"
    r"message-digest-key[ \t]+\d+[ \t]+md5|authentication[ \t]+(?:string|text)|"
    r"md5sig[ \t]+(?:password|key)|"
    r"authentication-mode[ \t]+(?:md5|simple)(?:[ \t]+\d+)?|(?:irreversible-)?cipher|rocommunity6?|rwcommunity6?"
)
# What stands before "password", "secret" or "key" on a line that configures one.
BEFORE = (
    r"(?:neighbor|peer|neighbor-group|peer-group|group)[ \t]+\S+|enable|isis|ppp[ \t]+\w+|"
    r"(?:username|local-user|user)[ \t]+\S+(?:[ \t]+(?:privilege|role|group|service-type|level)[ \t]+\S+)*|"
    r"isakmp|(?:tacacs|radius)(?:-server)?(?:[ \t]+\S+){0,12}|server(?:-private)?(?:[ \t]+\S+){1,12}"
)
# A sign of a difference, `no`, and the words of a set-style line.
BEGIN = r"^[ \t+\-!>|]*(?:no[ \t]+|undo[ \t]+)?(?:(?:set|delete|/|:)[^\n]*?[ \t])?"

RULES = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        rf"(?<!\w)(?<!\w-)(?:{STRONG})[ \t]+{REST}",
        rf"\b(?:area|domain|isis|lsp|hello)[- ]password[ \t]+{REST}",
        rf"\b(?:{BEFORE})[ \t]+(?:password|secret|key)[ \t]+{REST}",
        # Alone on its line; `key 1` is the number of one, `key chain` the name of many.
        rf"{BEGIN}(?:password|secret|passphrase)[ \t]+(?!(?:add|set|remove|print)[ \t]){REST}",
        rf"{BEGIN}key[ \t]+(?!chain\b|\d+[ \t]*;?$){REST}",
        # In what quotes a line: a type or quotation marks behind it tell that it is no prose.
        (
            r"(?<![\w-])(?:password|secret|passphrase)[ \t]+(?:0|[3-9]|8a|10|encrypted|clear|cipher|sha512|simple)"
            r"[ \t]+(?P<value>\S+)"
        ),
        r"(?<![\w-])key[ \t]+(?:0|[5-8]|8a)[ \t]+(?P<value>\S+)",
        rf"(?<![\w-])(?:password|secret|passphrase|key)[ \t]+(?P<value>{QUOTED})",
        r":[ \t]+(?:no[ \t]+)?(?:password|secret|key)[ \t]+(?P<value>[^\s\"']+)[ \t]*$",
        # RouterOS and every other `name=value`; JSON, Python, YAML; XML.
        rf"(?:{NAMED_SO})[ \t]*=[ \t]*{WORD}",
        rf"[\"'][\w-]*(?:{NAMED_SO})[\"'][ \t]*:[ \t]*{WORD}",
        rf"(?:password|secret|passphrase)[ \t]*:[ \t]+{WORD}",
        rf"<(?P<tag>[\w:-]*(?:{NAMED_SO}|community-name))(?:[ \t][^>\n]*)?>(?P<value>[^<\n]+)",
        # SNMP. BGP's communities are nobody's secret.
        rf"(?<![\w/])(?:snmp-server|snmp)[ \t]+community[ \t]+{WORD}",
        rf"\bsnmp-agent[ \t]+(?:[\w-]+[ \t]+)*?community[ \t]+(?:read[ \t]+|write[ \t]+|name[ \t]+)?{WORD}",
        (
            rf"\bsnmp-server[ \t]+host[ \t]+\S+(?:[ \t]+(?:informs?|traps?|use-vrf[ \t]+\S+|vrf[ \t]+\S+|"
            rf"version[ \t]+(?:1|2c|3(?:[ \t]+(?:auth|noauth|priv))?)))*[ \t]+(?!informs?\b|traps?\b|version\b){WORD}"
        ),
        r"\bsnmp-server[ \t]+user\b[^\n]*?[ \t]auth[ \t]+\S+[ \t]+(?P<value>\S+)",
        r"\bsnmp-server[ \t]+user\b[^\n]*?[ \t]priv(?:[ \t]+(?:des|3des|aes(?:-?\d+)?|\d{3}))*[ \t]+(?P<value>\S+)",
        rf"/snmp[ \t]+community\b[^\n]*?[ \t]name={WORD}",
        # IPsec's keys of OpenBGPD.
        r"\b(?:sha1|md5|aes|3des)[ \t]+(?P<value>(?:0x)?[0-9a-fA-F]{16,})\b",
        # What is a hash or a reversible one by its look: crypt(3), Junos' $9$, VRP's.
        r"(?P<value>\$(?:1|2[aby]?|5|6|8|9|14|1[a-z])\$[^\s\"';<]+)",
        r"(?P<value>%\^%#[^\n]*?%\^%#)",
    )
)
PRIVATE_KEY = re.compile(
    r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)(?P<value>[\s\S]*?)(?=-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
# Junos' block: only there a community is a password.
SNMP_BLOCK = re.compile(r"^[ \t+\-!]*(?:\[edit snmp\b[^\]\n]*\]|snmp[ \t]*\{)", re.MULTILINE)
SNMP_COMMUNITY = re.compile(rf"^[ \t+\-!]*(?:community|name)[ \t]+{WORD}")


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """
    Return `text` with every secret replaced by MASK. The lines stay as many, and the rest of each as it is.

    `secrets`: known values. Each is found as it is and as Python, JSON, HTML and the platforms quote it; of one with
    several lines (a private key) each line as well.
    """
    text = _without(text, secrets)
    text = PRIVATE_KEY.sub(lambda found: found[1] + _lines_masked(found["value"]), text)
    for rule in RULES:
        text = rule.sub(_mask, text)
    return _snmp_masked(text)


def secrets_of(text: str) -> tuple[str, ...]:
    """Return what `masked` takes for secrets in a configuration, unquoted, each once, in no order."""
    found = {_unquoted(match["value"]) for rule in RULES for match in rule.finditer(text)}
    found |= {match["value"].strip() for match in PRIVATE_KEY.finditer(text)}
    return tuple(value for value in found if len(value) >= SHORT and not _is_masked(value))


def _without(text: str, secrets: Iterable[str]) -> str:
    spellings = {each for secret in secrets for part in _parts(secret) for each in _spelled(part)}
    # The longest first: one secret may be part of another.
    for spelling in sorted(spellings, key=lambda each: (-len(each), each)):
        if spelling not in text or _is_masked(spelling):
            continue
        if len(spelling) < SHORT:
            text = re.sub(rf"(?<!\w){re.escape(spelling)}(?!\w)", MASK, text)
        else:
            text = text.replace(spelling, MASK)
    return text


def _parts(secret: str) -> Iterator[str]:
    if secret.strip():
        yield secret
    lines = secret.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines if len(line.strip()) >= SHORT_LINE)


def _spelled(value: str) -> set[str]:
    """Every way in which the value may be written, also by a program that quotes what a router was told."""
    first = _quotings(value)
    return first | {again for each in first - {value} for again in _quotings(each)} | {value.strip()}


def _quotings(value: str) -> set[str]:
    return {
        value,
        repr(value)[1:-1],
        # What Python writes when the text around it holds the other quotation mark.
        repr(f"'{value}")[2:-1],
        repr(f"'\"{value}")[4:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
        html.escape(value, quote=False),
        # Junos and SR OS; RouterOS; what takes single quotation marks.
        re.sub(r'(["\\])', r"\\\1", value),
        re.sub(r'(["\\$?])', r"\\\1", value),
        re.sub(r"(['\\])", r"\\\1", value),
    }


def _mask(found: re.Match[str]) -> str:
    start, end = found.span("value")
    before, after = found.string[found.start() : start], found.string[end : found.end()]
    return before + _masked_value(found["value"]) + after


def _masked_value(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return f"{value[0]}{MASK}{value[0]}" if value[1:-1] else value
    return MASK


def _unquoted(value: str) -> str:
    """A value as the router takes it: quotation marks and what they escape taken away."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def _is_masked(value: str) -> bool:
    return not value.strip("*")


def _lines_masked(value: str) -> str:
    return re.sub(r"[^\s+\-][^\n]*", MASK, value)


def _snmp_masked(text: str) -> str:
    """Mask the communities of Junos' `snmp { … }`, and of differences below `[edit snmp]`."""
    if not SNMP_BLOCK.search(text):
        return text
    rows, depth, edited = [], 0, False
    for row in text.split("\n"):
        if begins := SNMP_BLOCK.match(row):
            edited, depth = "[" in begins[0], 0
        elif row.lstrip().startswith("[edit"):
            edited = False
        inside = edited or depth > 0
        depth += (row.count("{") - row.count("}")) if depth or (begins and not edited) else 0
        rows.append(SNMP_COMMUNITY.sub(_mask, row) if inside else row)
    return "\n".join(rows)
