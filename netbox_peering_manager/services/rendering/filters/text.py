"""Filters that make text harmless: what people typed, names, JSON and YAML. Pure: no Django."""

import hashlib
import json
import re
import unicodedata
from typing import Any

import yaml
from jinja2 import Undefined

from .values import fail

__all__ = ("as_json", "as_yaml", "identifier", "quote", "safe_string", "word")

# What no platform's parser, no shell and no template engine gives a meaning to, outside or inside quotes.
SAFE_CHARACTERS = re.compile(r"[^A-Za-z0-9 _.,:/()+@=\[\]-]+")
# Letters that Unicode's own decomposition leaves whole, and punctuation with a plain twin.
PLAIN_TWINS = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ø": "o",
        "Ø": "O",
        "đ": "d",
        "Đ": "D",
        "ł": "l",
        "Ł": "L",
        "þ": "th",
        "ð": "d",
        "\u2010": "-",
        "\u2011": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
    }
)


def safe_string(value: Any, max_length: int | None = None) -> str:
    """
    `value` as text that breaks no configuration: one line of ASCII, blanks collapsed, None gives "".

    Accents are dropped (ü → u); quotes, backslashes, braces, `$ ; ! # ? % < > | & ^ ~ *` and control characters
    become blanks; what ASCII cannot say becomes "_". Cut to `max_length` characters. May come out empty.
    """
    if value is None or isinstance(value, Undefined):
        return "" if value is None else fail("safe_string", value, "is undefined")
    text = unicodedata.normalize("NFKD", str(value).translate(PLAIN_TWINS))
    text = "".join(_plain(character) for character in text if not unicodedata.combining(character))
    text = " ".join(SAFE_CHARACTERS.sub(" ", text).split())
    return text if max_length is None else text[:max_length].rstrip()


def _plain(character: str) -> str:
    """
    An ASCII character as it is; a letter or sign beyond ASCII as "_", a blank or control beyond it as a
    blank.
    """
    if character.isascii():
        return character
    return " " if unicodedata.category(character)[0] in "ZC" else "_"


def identifier(value: Any, extra: str = "_.-", max_length: int = 63) -> str:
    """
    `value` as the name of a policy object: ASCII letters, digits and the characters in `extra`, at most
    `max_length`.

    A name that already is one comes back as it is. Any other one is altered and gets a short hash of the
    original, so that two different names never become the same. Names of digits and dots alone are altered
    too: they mean numbered lists or addresses on some platforms. An empty name is an error.
    """
    name = str(value) if isinstance(value, str) else fail("identifier", value, "is no name")
    if not name.strip():
        fail("identifier", value, "is an empty name")
    cleaned = re.sub(f"[^A-Za-z0-9{re.escape(extra)}]+", "_", safe_string(name)).lstrip("_.-")
    if re.fullmatch(r"[0-9.]*", cleaned):
        cleaned = f"N{cleaned}".replace(".", "_")
    if cleaned == name and len(name) <= max_length:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{cleaned[: max_length - 7].rstrip('_.-')}_{digest}"


def word(value: Any) -> str:
    """`value`, an interface's name or the like, if any parser takes it for one word; else an error."""
    text = str(value)
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_./:@-]*", text, re.ASCII):
        fail("word", value, "is not one word of letters, digits and _ . / : @ -")
    return text


def quote(value: Any, mark: str = '"') -> str:
    r"""
    `value` between two `mark`s, a backslash before every mark and backslash in it. Control characters: an
    error.
    """
    text = str(value)
    if any(unicodedata.category(character) == "Cc" for character in text):
        fail("quote", value, "holds control characters, use safe_string first")
    return mark + text.replace("\\", "\\\\").replace(mark, f"\\{mark}") + mark


def as_json(value: Any, indent: int | None = None) -> str:
    """`value` as JSON, keys in order, on one line unless `indent` is given."""
    try:
        return json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        fail("as_json", value, "holds what JSON cannot say", error)


def as_yaml(value: Any, indent: int = 2) -> str:
    """`value` as YAML in block style, keys in order, with no newline at the end."""
    try:
        return yaml.safe_dump(value, indent=indent, default_flow_style=False, allow_unicode=True).rstrip("\n")
    except yaml.YAMLError as error:
        fail("as_yaml", value, "holds what YAML cannot say", error)
