"""
Reads the rows out of the body of one answer, one by one. Pure: no Django, no HTTP.

The list of all networks is some 60 MB of JSON. As Python objects it takes four times that, and as one `str` up to
four times again (a single emoji is enough). So the body stays bytes, is decoded a window at a time, and of the rows
only one exists at any moment. That takes less time than `json.loads` of the whole, and 2 MB.
"""

import codecs
import json
import math
from collections.abc import Iterator
from typing import Any

WINDOW = 1 << 18
BLANKS = " \t\n\r"


class BrokenBody(Exception):
    """The body is not an object with a list `data`. The text is the rest of a sentence that begins with "answer"."""


def read_generated(body: bytes) -> int | None:
    """
    Return `meta.generated`, seconds since 1970, or None when the body does not tell.

    PeeringDB puts `meta` behind the rows or in front of them; neither way are rows decoded for it.
    """
    meta = _last_member(body, b'"meta"')
    if meta is None:
        meta = _first_member(body)
    generated = meta.get("generated") if isinstance(meta, dict) else None
    if isinstance(generated, bool) or not isinstance(generated, int | float) or not math.isfinite(generated):
        return None
    return int(generated)


def read_rows(body: bytes) -> Iterator[Any]:
    """
    Yield the items of `data` in their order, as plain JSON values. BrokenBody when the body turns out to be broken.
    """
    text = _Text(body)
    text.expect("{", "is not a JSON object")
    found = False
    while (name := text.next_name()) is not None:
        if name == "data":
            found = True
            yield from text.items()
        else:
            text.value()
    text.expect_end()
    if not found:
        raise BrokenBody("has no data")


class _Text:
    """The body as text, of which a window is there at a time; `_at` is how far it has been read."""

    def __init__(self, body: bytes):
        self._body = memoryview(body)
        self._decoded = 0
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._scan = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode
        self._window = ""
        self._at = 0

    def next_name(self) -> str | None:
        """Return the name of the object's next member, or None at its end; both follow what was read last."""
        mark = self._peek()
        if mark == ",":
            self._at += 1
        elif mark == "}":
            self._at += 1
            return None
        name = self.value()
        if not isinstance(name, str):
            raise BrokenBody("is broken JSON")
        self.expect(":", "is broken JSON")
        return name

    def items(self) -> Iterator[Any]:
        """Yield the items of the list that begins here."""
        self.expect("[", "has no list of data")
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield self.value()
            mark = self._peek()
            self._at += 1
            if mark == "]":
                return
            if mark != ",":
                raise BrokenBody("is broken JSON")

    def value(self) -> Any:
        """Return the JSON value that begins here."""
        self._peek()
        while True:
            try:
                value, end = self._scan(self._window, self._at)
            except (ValueError, RecursionError) as error:
                # Cut by the window, or broken: a wider window tells.
                if not self._widen():
                    raise BrokenBody("is cut or broken JSON") from error
                continue
            # A number goes on behind the window without anybody noticing.
            if end < len(self._window) or not self._widen():
                self._at = end
                return value

    def expect(self, mark: str, otherwise: str) -> None:
        """Step over `mark`, which is one character."""
        if self._peek() != mark:
            raise BrokenBody(otherwise)
        self._at += 1

    def expect_end(self) -> None:
        if self._peek():
            raise BrokenBody("goes on behind its end")

    def _peek(self) -> str:
        """Step over blanks and return the character that follows, "" at the end."""
        while True:
            window, at = self._window, self._at
            while at < len(window) and window[at] in BLANKS:
                at += 1
            self._at = at
            if at < len(window):
                return window[at]
            if not self._widen():
                return ""

    def _widen(self) -> bool:
        """Decode another piece, of at least what is not read yet; what is read goes. False at the body's end."""
        start = self._decoded
        if start >= len(self._body):
            return False
        rest = self._window[self._at :]
        # A row longer than the window doubles it, so that it is not scanned over and over.
        stop = start + max(WINDOW, len(rest))
        self._decoded = min(stop, len(self._body))
        try:
            piece = self._decode(self._body[start:stop], self._decoded == len(self._body))
        except UnicodeDecodeError as error:
            raise BrokenBody("is not UTF-8") from error
        self._window, self._at = rest + piece, 0
        return True


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _first_member(body: bytes) -> Any:
    """The value of `meta` when it stands before `data`."""
    text = _Text(body)
    try:
        text.expect("{", "")
        while (name := text.next_name()) not in (None, "data"):
            value = text.value()
            if name == "meta":
                return value
    except BrokenBody:
        # Told by read_rows, with its reason.
        pass
    return None


def _last_member(body: bytes, name: bytes) -> Any:
    """
    The value of the member `name` when no list follows it.

    Found from behind: what begins at the name is the end of an object only when the name is a member of the
    outermost one; inside of a row, the list's bracket would follow.
    """
    at = body.rfind(name)
    if at < 0 or at < len(body) - WINDOW:
        return None
    try:
        tail = json.loads(b"{" + body[at:])
    except (ValueError, RecursionError):
        return None
    return tail.get(name.strip(b'"').decode())
