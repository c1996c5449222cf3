"""
Takes secrets out of what is shown, stored or raised: configurations, differences, what a router or a driver said. Pure.

First what is known to be secret, however a program spells it; then what a line shows to be one, in the notation of any
platform: FRR, BIRD, OpenBGPD, VyOS, IOS, IOS-XR, EOS, NX-OS, Junos, SR OS, RouterOS, VRP. Last, whatever stands behind
a word that announces a secret, in a notation that nobody knows. In doubt it is masked: a word too many is lost rather
than a password shown.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
    r"privacy[-_]key|priv[-_]key|key[-_]string|psk|api[-_]?key|token|passcode|pwd|bindpw|rootpw|credential|"
    r"(?<![a-z])pass|(?<![a-z])cak|(?<!public-)(?<!public_)(?<![a-z])key|(?-i:Key|Pass)"
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
        rf"(?i:{NAMED_SO})[ \t]*=[ \t]*{WORD}",
        rf"[\"'][\w-]*(?i:{NAMED_SO})[\"'][ \t]*:[ \t]*{WORD}",
        (
            r"(?i:password|passwd|secret|passphrase|token|psk|cak|(?:api|auth|private|privacy|priv|md5|shared)"
            rf"[-_]?key)[ \t]*:[ \t]+{WORD}"
        ),
        rf"<(?P<tag>[\w:-]*(?i:{NAMED_SO}|community-name))(?:[ \t][^>\n]*)?>(?P<value>[^<\n]+)",
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
        # Who logs in, in a URL and without one; all of it, where there is no password: it is a token.
        r"\b[A-Za-z][\w+.-]{0,15}://[^\s:/@\"'<>]*:(?P<value>[^\s\"'<>]+)@(?=[\w.\[-])",
        r"\b[hH][tT][tT][pP][sS]?://(?P<value>[^\s:/@\"'<>]+)@(?=[\w.\[-])",
        r"(?<![\w.:/@-])[A-Za-z_][\w.-]*:(?P<value>[^\s:@/\"'<>]+)@(?=[\w.\[-])",
        # Shells.
        r"\b(?:echo|printf)[ \t]+(?:-\w+[ \t]+)*(?P<value>[^\n|]*[^\s|])(?=[ \t]*\|)",
        rf"<<<[ \t]*{WORD}",
        rf"\bsshpass[ \t]+-p[ \t]*{WORD}",
        r"(?<!\S)(?:-u|--user)[ \t]+[^\s:]+:(?P<value>\S+)",
        r"\b(?i:authorization:[ \t]*(?:basic|bearer|token))[ \t]+(?P<value>[^\s\"']+)",
        # First-hop redundancy; what encrypts the passwords of a configuration, and keys that are carried off.
        (
            r"\b(?:standby|vrrp|glbp|hsrp)\b[^\n]*?[ \t]authentication[ \t]+"
            rf"(?!(?:md5|text)(?:[ \t]|$)|key-(?:chain|string)\b|mode\b){REST}"
        ),
        rf"\bpassword-encrypt[ \t]+{REST}",
        r"\bcrypto[ \t]+key[ \t]+(?:export|import)[ \t][^\n]*[ \t](?P<value>[^\s;]+)[ \t]*$",
        r"\bpkcs12[ \t][^\n]*[ \t](?P<value>[^\s;]+)[ \t]*$",
        # IPsec's keys of OpenBGPD.
        r"\b(?:sha1|md5|aes|3des)[ \t]+(?P<value>(?:0x)?[0-9a-fA-F]{16,})\b",
        # What is a hash or a reversible one by its look: crypt(3), Junos' $9$, VRP's.
        r"(?P<value>\$(?:1|2[aby]?|5|6|8|9|14|1[a-z])\$[^\s\"';<]+)",
        r"(?P<value>%\^%#[^\n]*?%\^%#)",
    )
)

# --- Any notation: what announces a secret, wherever on its line, and what may stand between. ---

ANNOUNCED = re.compile(
    r"(?i)(?<![\w.-])-{0,2}(?:(?!public[-_]|trusted[-_]|host[-_])[\w-]{0,40}[-_])?"
    r"(?:password|passwd|passphrase|passcode|secret|key|token|cak|psk|credentials?|bindpw|rootpw|(?<=[-_])pass|"
    r"(?:password|secret)-hash)"
    r"[ \t]+(?=\S)"
)
# How it is written, for whom and the number of many: skipped.
HOW = re.compile(
    r"(?i)(?:(?:\d+|8a|encrypted|clear|clear-?text|cipher|irreversible-cipher|simple|plain|plain-?text|hashed|md5|"
    r"(?:hmac-)?sha-?\d*(?:-\d+)?|hmac-md5|aes-\d+-cmac(?:-\d+)?|aes-cmac|text|ascii-text|hexadecimal|hex|ascii|"
    r"local|remote|string|level[ \t]+\d+|(?:address|host|peer)[ \t]+\S+|--?\w[\w-]*)[ \t]+(?=\S))*"
)
WORD_HERE = re.compile(r"\S+")
VALUE = re.compile(REST, re.MULTILINE)
PROSE_VALUE = re.compile(rf"(?P<value>{QUOTED}|[^\s\"';,<>]+)", re.MULTILINE)
# What follows such a word and is none, whatever the line is: the rest of a command's name.
HARMLESS = re.compile(
    r"(?i)(?:"
    r"chain|chains|generate|zeroize|export|import|pubkey-chain|mypubkey|rsa|dsa|ec|ecdsa|encryption|encrypt|"
    r"policy|add|set|remove|print"
    r")"
)
# The same in what people read.
PROSE = re.compile(
    r"(?i)(?:"
    r"a|an|and|are|as|at|authentication|be|been|but|by|can|cannot|changed|check|did|do|does|exchange|expired|"
    r"failed|file|for|found|from|given|had|has|have|id|if|in|incorrect|invalid|is|it|its|length|may|mismatch|"
    r"missing|must|name|needed|no|none|not|of|on|or|prompt|rejected|required|should|size|than|that|the|then|"
    r"this|to|too|type|unknown|was|were|when|where|which|with|without|wrong"
    r")"
)
# `key 1` is the number of one.
NUMBERED = re.compile(r"[ \t+\-!>|]*(?:no[ \t]+|undo[ \t]+)?key[ \t]+")
PUBLIC = re.compile(r"(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9-]+$|SHA256:")
# The rest of a line that people wrote for people.
DESCRIBES = re.compile(r"(?<!\S)(?:description|remark)[ \t]")

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
    return _announced_masked(_snmp_masked(text))


def secrets_of(text: str) -> tuple[str, ...]:
    """Return what `masked` takes for secrets in a configuration, unquoted, each once, in no order."""
    found = {_unquoted(match["value"]) for rule in RULES for match in rule.finditer(text)}
    found |= {match["value"].strip() for match in PRIVATE_KEY.finditer(text)}
    found |= {_unquoted(text[start:end]) for start, end in _announced(text)}
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


def _announced_masked(text: str) -> str:
    parts, at = [], 0
    for start, end in _announced(text):
        parts += [text[at:start], _masked_value(text[start:end])]
        at = end
    return "".join((*parts, text[at:]))


def _announced(text: str) -> Iterator[tuple[int, int]]:
    """Where the values of secrets in any notation stand, as (start, end)."""
    line, at = _Line("", 0, 0, 0), 0
    while announced := ANNOUNCED.search(text, at):
        at = announced.end()
        if at > line.end:
            line = _line_at(text, at)
        if announced.start() >= line.described:
            at = line.end
        elif found := _value_at(line, at):
            at = found[1]
            yield found


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a text, from `start` to `end`; at `described` a description begins. `is_prose`: people wrote it."""

    text: str
    start: int
    end: int
    described: int
    is_prose: bool = False


def _line_at(text: str, at: int) -> _Line:
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    end = len(text) if end < 0 else end
    row = text[start:end]
    described = DESCRIBES.search(row)
    is_prose = row.rstrip().endswith((".", "!", "?")) or ", " in row or ": " in row
    return _Line(text, start, end, start + described.start() if described else end, is_prose)


def _value_at(line: _Line, at: int) -> tuple[int, int] | None:
    """Where the value behind what ends at `at` stands; None when it is none or masked."""
    skipped = HOW.match(line.text, at)
    start = skipped.end() if skipped else at
    found = WORD_HERE.match(line.text, start)
    if found is None:
        return None
    word = found[0]
    if _is_masked(word.strip("\"';,)}>")) or HARMLESS.fullmatch(word) or PUBLIC.match(word):
        return None
    if ANNOUNCED.match(line.text, start) or (line.is_prose and PROSE.fullmatch(word.strip(".,;:!?"))):
        return None
    if start == at and word.rstrip(";").isdecimal() and NUMBERED.fullmatch(line.text, line.start, start):
        return None
    value = (PROSE_VALUE if line.is_prose else VALUE).match(line.text, start)
    return value.span("value") if value else None


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
