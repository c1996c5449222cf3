"""
One GET over HTTP, whole or not at all: sends it, reads the body to its end, says what broke. The client decides what
follows.

This is the only module that knows of `requests`. A body is returned when its last byte is there, so that a connection
that breaks in mid-body can be followed by the same request without a row seen twice.
"""

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from django.utils.translation import gettext as _
from requests.auth import AuthBase

from ...exceptions import PeeringDBMalformed, PeeringDBUnreachable

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

CHUNK = 1 << 16
CONNECT_S = 10
# A server that sends a byte now and then never runs into a timeout; this many of them is the end.
TIMEOUTS_PER_ANSWER = 10
# Ten times what PeeringDB's longest list has.
BODY_MAX = 512 << 20
# A `Retry-After` beyond this is not taken at its word.
RETRY_AFTER_MAX_S = 30 * 86400
SHOWN_LENGTH = 200


class Broken(Exception):
    """
    No whole answer came, and the same request may succeed later. The text says why, without a full stop.

    `retry_after_s` is how long the server asks to wait, None when it does not say.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None):
        self.retry_after_s = retry_after_s
        super().__init__(reason)


class Throttled(Broken):
    """The server had too many requests."""


class CutOff(Broken):
    """What came is the beginning of an answer, although HTTP took it for whole."""


@dataclass(frozen=True)
class Reply:
    """A whole answer. `body` is decompressed."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def location(self) -> str | None:
        """Where a redirect leads to, as it was sent; None when it is none."""
        return self.headers.get("Location") if self.status in (301, 302, 303, 307, 308) else None


@dataclass(frozen=True)
class ApiKey(AuthBase):
    """
    Puts the key into a request, or nothing when there is none.

    Always given, as `requests` would else look into the user's .netrc. Its repr does not show the key.
    """

    key: str | None = field(repr=False)

    def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
        if self.key:
            request.headers["Authorization"] = f"Api-Key {self.key}"
        return request


class Transport:
    """Sends GETs over one session, which keeps its connections. `clock` returns seconds."""

    def __init__(
        self,
        user_agent: str,
        proxies_for: Callable[[str], Mapping[str, str] | None],
        clock: Callable[[], float],
    ):
        self._proxies_for = proxies_for
        self._clock = clock
        self._session = requests.Session()
        self._session.headers.update(
            {"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "gzip"}
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(self, url: str, params: Mapping[str, str], key: str | None, timeout_s: float) -> Reply:
        """
        Return the answer, whatever its status; a redirect is not followed.

        Broken when none came or not all of it, PeeringDBUnreachable when asking again is of no use.
        """
        try:
            with self._session.get(
                url,
                params=params,
                auth=ApiKey(key),
                timeout=(min(CONNECT_S, timeout_s), timeout_s),
                proxies=dict(self._proxies_for(url) or {}),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._read(response, url, timeout_s)
                return Reply(response.status_code, response.reason or "", response.headers, body)
        except requests.exceptions.SSLError as error:
            raise PeeringDBUnreachable(
                _("{url} is not trusted: {reason}. Check the URL and this host's certificates.").format(
                    url=shown(url), reason=_innermost(error)
                )
            ) from without_key(error)
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise Broken(_("nothing came for {seconds} s").format(seconds=f"{timeout_s:g}")) from without_key(
                error
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise Broken(_innermost(error)) from without_key(error)

    def _read(self, response: "Response", url: str, timeout_s: float) -> bytes:
        """The whole body. Read as it comes, so that the time can be looked at in between."""
        deadline = self._clock() + TIMEOUTS_PER_ANSWER * timeout_s
        body = io.BytesIO()
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            if body.tell() + len(chunk) > BODY_MAX:
                raise PeeringDBMalformed(
                    _("The answer of {url} is longer than {limit} MiB.").format(
                        url=shown(url), limit=BODY_MAX >> 20
                    )
                )
            body.write(chunk)
            if self._clock() > deadline:
                raise Broken(
                    _("the answer was not there after {seconds} s").format(
                        seconds=f"{TIMEOUTS_PER_ANSWER * timeout_s:g}"
                    )
                )
        return body.getvalue()


def redirected(url: str, location: str, setting: str) -> str:
    """
    Return where `location`, out of the answer of `url`, leads to. `setting` is the one to correct when it may not.

    PeeringDBUnreachable when that is another host, another port, or http after https: the key goes nowhere else.
    """
    target = urljoin(url, location)
    here, there = urlsplit(url), urlsplit(target)
    upgraded = here.scheme == "http" and there.scheme == "https" and here.hostname == there.hostname
    if upgraded or (here.scheme, here.netloc) == (there.scheme, there.netloc):
        return target
    raise PeeringDBUnreachable(
        _(
            "{url} leads to {target}, and redirects to other hosts are not followed. Correct {setting}."
        ).format(
            url=shown(url),
            target=shown(f"{there.scheme}://{there.netloc.rpartition('@')[2]}"),
            setting=setting,
        )
    )


def read_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """
    Return for how many seconds `Retry-After` (RFC 9110, section 10.2.3) asks to wait; None when it does not say.

    A date is compared with the server's own `Date`, so that it does not matter whether our clock is right.
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
        return min(float(value), RETRY_AFTER_MAX_S)
    until = _timestamp(value)
    if until is None:
        return None
    sent = _timestamp(headers.get("Date", ""))
    return min(max(0.0, until - (now if sent is None else sent)), RETRY_AFTER_MAX_S)


def shown(text: str) -> str:
    """`text` for a message: on one line, printable, not too long."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= SHOWN_LENGTH else f"{line[: SHOWN_LENGTH - 1]}…"


def _timestamp(http_date: str) -> float | None:
    try:
        when = parsedate_to_datetime(http_date)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _innermost(error: BaseException) -> str:
    """What the system said in the end; `requests` and `urllib3` wrap it several times."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return shown(text.rstrip("."))


def without_key[Error: BaseException](error: Error) -> Error:
    """`error`, without the key in the request that `requests` hangs on it."""
    request: Any = getattr(error, "request", None)
    if request is not None:
        request.headers.pop("Authorization", None)
    return error
