"""
First stage: asks PeeringDB's API and its public dumps, politely, and hands on rows as plain dicts.

Version 2 of the API, read only. Whatever PeeringDB's next version changes about requests and envelopes changes here,
in `transport` and in `body`, and nowhere else.
"""

import json
import logging
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlencode, urlsplit

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from utilities.proxy import resolve_proxies

from ...exceptions import (
    PeeringDBError,
    PeeringDBKeyRefused,
    PeeringDBMalformed,
    PeeringDBThrottled,
    PeeringDBUnreachable,
)
from ...settings import PLUGIN, get_setting, read_secret
from .body import BrokenBody, read_generated, read_rows
from .pacing import WINDOW_S, Pacing
from .records import TAGS
from .transport import Broken, CutOff, Reply, Throttled, Transport, read_retry_after, redirected, shown

if TYPE_CHECKING:
    from netbox.plugins import PluginConfig

__all__ = ("IN_MAX", "Answer", "KeyState", "PeeringDBClient", "client_from_settings", "in_batches")

logger = logging.getLogger("netbox_peering_manager.peeringdb")

# PeeringDB's documented limits: docs.peeringdb.com/howto/work_within_peeringdbs_query_limits
PER_MINUTE_ANONYMOUS = 20
PER_MINUTE_WITH_KEY = 40
IN_MAX = 150
# Back-off without a Retry-After: at most 4, 8, 16, 32, 64 s; six of them outlast a limit per minute.
BACK_OFF_S = 4
BACK_OFF_MAX_S = 64
REDIRECTS_MAX = 3
# Somebody waits in front of a button.
TEST_TIMEOUT_S = 15
TEST_TURN_S = 10


@dataclass(frozen=True)
class Answer:
    """
    A list of PeeringDB's objects.

    `rows` yields what `data` holds, in PeeringDB's order and once: dicts, unless PeeringDB sent something else. It
    raises PeeringDBMalformed when the JSON turns out to be broken behind the rows that it has yielded. `generated` is
    when PeeringDB made the list, in seconds since 1970, told only for lists that it keeps ready.
    """

    rows: Iterator[Any]
    generated: int | None


@dataclass(frozen=True)
class KeyState:
    """What the Test button shows. `ok`: there is a key, and PeeringDB accepts it."""

    ok: bool
    message: str
    sees_users_contacts: bool


@dataclass(frozen=True)
class _Query:
    """What is asked for. `setting` is the one that names the host, `key` is sent with it."""

    url: str
    params: Mapping[str, str]
    setting: str
    pacing: Pacing
    key: str | None

    def __repr__(self) -> str:
        return f"_Query({self})"

    def __str__(self) -> str:
        return shown(f"{self.url}?{urlencode(self.params)}" if self.params else self.url)


@dataclass(frozen=True)
class _Patience:
    """
    How much is put up with for one answer: repeats, seconds of waiting for PeeringDB altogether, seconds of waiting
    for our own turn before each request, and seconds without a byte.
    """

    retries: int
    max_wait_s: float
    turn_s: float
    timeout_s: float


class PeeringDBClient:
    """
    A client of PeeringDB, for `with`. It stores what it is given and sends nothing before it is asked to.

    `url` and `dumps_url` are http(s) URLs without a user name. `requests_per_minute` None stands for PeeringDB's own
    limits. `proxies_for` gives the proxies for a URL, as `requests` takes them. `sleep`, `clock` (seconds since 1970)
    and `jitter` (a number between two others) can be replaced by tests.

    Every request waits for its turn (`pacing`), has a timeout, and is repeated `retries` times at most when the
    connection breaks or PeeringDB answers 429 or 5xx: after what Retry-After says, else after a random time that
    doubles. Altogether no more than `max_wait_s` is waited for one answer.
    """

    def __init__(
        self,
        url: str,
        *,
        dumps_url: str = "https://public.peeringdb.com",
        api_key: str | None = None,
        user_agent: str = "netbox-peering-manager",
        timeout_s: float = 60,
        min_interval_s: float = 2.0,
        requests_per_minute: int | None = None,
        retries: int = 5,
        max_wait_s: float = 300,
        proxies_for: Callable[[str], Mapping[str, str] | None] = lambda url: None,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[float, float], float] = random.uniform,
    ):
        self._url = _checked_url(url, "peeringdb_url")
        self._dumps_url = _checked_url(dumps_url, "peeringdb_dumps_url")
        self._key = _checked_key(api_key)
        # A full minute's allowance is no reason to give up.
        self._patience = _Patience(retries, max_wait_s, max(max_wait_s, 2 * WINDOW_S), timeout_s)
        self._sleep, self._clock, self._jitter = sleep, clock, jitter
        self._transport = Transport(user_agent, proxies_for, clock)
        limit = PER_MINUTE_WITH_KEY if api_key else PER_MINUTE_ANONYMOUS
        self._pacing = Pacing(
            name=f"{urlsplit(self._url).netloc}:{'key' if api_key else 'anonymous'}",
            min_interval_s=min_interval_s,
            per_minute=int(requests_per_minute or limit),
            clock=clock,
        )
        self._dumps_pacing = Pacing(
            name=f"{urlsplit(self._dumps_url).netloc}:dumps",
            min_interval_s=min_interval_s,
            per_minute=int(requests_per_minute or PER_MINUTE_ANONYMOUS),
            clock=clock,
        )

    def __repr__(self) -> str:
        return f"<PeeringDBClient {self._url} {'with a key' if self._key else 'without a key'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    @property
    def url(self) -> str:
        """Where PeeringDB's API is, without a slash at the end."""
        return self._url

    @property
    def has_key(self) -> bool:
        return self._key is not None

    def fetch(self, tag: str, *, since: int | None = None, **filters: Any) -> Answer:
        """
        Return PeeringDB's list of one type, whole, flat.

        `since` (seconds since 1970) lists what was changed or deleted since then, by `updated`, the deleted with the
        status "deleted"; without it only what is there. `filters` are PeeringDB's, with its suffixes: `asn=64496`,
        `id__in=[1, 2]` (150 values at most: `in_batches`), `limit=10`. PeeringDB ignores those that it does not know.

        One of the PeeringDBErrors when no answer is had; ValueError for a tag or filter that is a mistake of ours.
        """
        params = {name: _parameter(name, value) for name, value in filters.items()}
        if since is not None:
            params["since"] = str(int(since))
        return self._list(self._query(tag, params))

    def fetch_dump(self, tag: str) -> Answer:
        """
        Return yesterday's list of one type from the public dumps: public rows only, and no key is sent.

        Errors as for `fetch`.
        """
        url = f"{self._dumps_url}/{_checked_tag(tag)}-0.json"
        return self._list(_Query(url, {}, "peeringdb_dumps_url", self._dumps_pacing, None))

    def check_key(self) -> KeyState:
        """Ask PeeringDB once, without patience, and tell what came of it. Raises nothing of PeeringDB's errors."""
        query = self._query("poc", {"visible": "Users", "limit": "1"})
        patience = _Patience(0, 0, TEST_TURN_S, min(TEST_TIMEOUT_S, self._patience.timeout_s))
        try:
            rows = list(self._list(query, patience).rows)
        except PeeringDBError as error:
            return KeyState(ok=False, message=str(error), sees_users_contacts=False)
        seen = any(isinstance(row, dict) and row.get("visible") == "Users" for row in rows)
        if not self.has_key:
            message = _("PeeringDB answers, but no key is set: it shows public contacts only.")
        elif seen:
            message = _("PeeringDB accepts the key and shows the contacts that users may see.")
        else:
            message = _("PeeringDB accepts the key, but shows public contacts only.")
        return KeyState(ok=self.has_key, message=message, sees_users_contacts=seen)

    def remaining(self) -> int:
        """Return how many requests are left of this minute's allowance, which all processes share."""
        return self._pacing.remaining()

    def _query(self, tag: str, params: Mapping[str, str]) -> _Query:
        return _Query(f"{self._url}/{_checked_tag(tag)}", params, "peeringdb_url", self._pacing, self._key)

    def _list(self, query: _Query, patience: _Patience | None = None) -> Answer:
        body = self._ask(query, patience or self._patience)
        return Answer(_rows(query, body), read_generated(body))

    def _ask(self, query: _Query, patience: _Patience) -> bytes:
        """The body of the answer to `query`, asked for as often as `patience` allows."""
        waited, attempt = 0.0, 0
        while True:
            try:
                return self._ask_once(query, patience)
            except Broken as broken:
                wait = self._wait_after(broken, attempt)
                if isinstance(broken, Throttled) and wait <= WINDOW_S:
                    # A longer one is about this very request: PeeringDB limits identical ones by the hour.
                    query.pacing.hold(self._clock() + wait)
                if attempt >= patience.retries or waited + wait > patience.max_wait_s:
                    raise self._final_error(query, broken, wait, attempt + 1) from broken
                logger.info("%s: %s. Asking again in %.1f s.", query, broken, wait)
            self._sleep(wait)
            waited, attempt = waited + wait, attempt + 1

    def _ask_once(self, query: _Query, patience: _Patience) -> bytes:
        """The body of one good answer. Broken when it is worth another try, else the error to tell."""
        reply = self._follow(query, patience)
        if reply.status == 200 or _is_empty_list(reply):
            return _checked_body(query, reply)
        said = _said(reply, query.key)
        if reply.status in (401, 403) and query.setting == "peeringdb_url":
            raise _key_refused(query, said)
        if reply.status == 429 or reply.status >= 500:
            retry_after = read_retry_after(reply.headers, self._clock())
            raise (Throttled if reply.status == 429 else Broken)(said, retry_after)
        raise _malformed(query, _("is {said}").format(said=said))

    def _follow(self, query: _Query, patience: _Patience) -> Reply:
        """The answer to one request, and to those that it is redirected to on the same host."""
        url, params = query.url, query.params
        for _hop in range(REDIRECTS_MAX + 1):
            self._await_turn(query, patience)
            reply = self._transport.get(url, params, query.key, patience.timeout_s)
            if reply.location is None:
                return reply
            url, params = redirected(url, reply.location, query.setting), {}
        raise PeeringDBUnreachable(
            _("{query} is redirected without end. Check {setting}.").format(
                query=query, setting=query.setting
            )
        )

    def _await_turn(self, query: _Query, patience: _Patience) -> None:
        at, taken = query.pacing.reserve(patience.turn_s)
        if not taken:
            raise PeeringDBThrottled(
                _(
                    "This NetBox has used up its requests to PeeringDB for now; the next one can be sent at {time}."
                ).format(time=_shown_time(_moment(at))),
                retry_at=_moment(at),
            )
        wait = at - self._clock()
        if wait > 0:
            self._sleep(wait)

    def _wait_after(self, broken: Broken, attempt: int) -> float:
        """Seconds until the next try: what the server asks for, else exponential back-off with full jitter."""
        if broken.retry_after_s is not None:
            return broken.retry_after_s
        return self._jitter(0, min(BACK_OFF_MAX_S, BACK_OFF_S * 2**attempt))

    def _final_error(self, query: _Query, broken: Broken, wait: float, times: int) -> PeeringDBError:
        """What to tell when `broken` is not followed by another try."""
        if isinstance(broken, CutOff):
            return _malformed(query, str(broken))
        if not isinstance(broken, Throttled):
            return PeeringDBUnreachable(
                ngettext(
                    "{query} gave no answer: {reason}. Check the network, the proxy and {setting}, or try again later.",
                    "{query} gave no answer, asked {times} times: {reason}. Check the network, the proxy and "
                    "{setting}, or try again later.",
                    times,
                ).format(query=query, times=times, reason=broken, setting=query.setting)
            )
        # Without a Retry-After: PeeringDB's limits are by the minute.
        retry_at = _moment(self._clock() + (WINDOW_S if broken.retry_after_s is None else wait))
        message = _("{query} can be asked again at {time}: {reason}.").format(
            query=query, time=_shown_time(retry_at), reason=broken
        )
        if query.key is None:
            message += " " + _("With peeringdb_api_key set, PeeringDB allows more.")
        return PeeringDBThrottled(message, retry_at)


def client_from_settings(**options: Any) -> PeeringDBClient:
    """
    Return a client as the plugin's settings describe it, behind NetBox's proxies. `options` go before the settings.

    PeeringDBKeyRefused when the key that the settings name cannot be read.
    """
    plugin = cast("PluginConfig", apps.get_app_config(PLUGIN))
    source = get_setting("peeringdb_api_key")
    try:
        key = read_secret(source) if source else None
    except ImproperlyConfigured as error:
        raise PeeringDBKeyRefused(str(error)) from error
    settings: dict[str, Any] = {
        "url": get_setting("peeringdb_url"),
        "dumps_url": get_setting("peeringdb_dumps_url"),
        "api_key": key,
        "user_agent": f"netbox-peering-manager/{plugin.version}",
        "timeout_s": get_setting("peeringdb_timeout_s"),
        "min_interval_s": get_setting("peeringdb_min_interval_s"),
        "requests_per_minute": get_setting("peeringdb_requests_per_minute"),
        "retries": get_setting("peeringdb_retries"),
        "max_wait_s": get_setting("peeringdb_max_wait_s"),
        "proxies_for": lambda url: resolve_proxies(url=url),
    }
    return PeeringDBClient(**(settings | options))


def in_batches[Value](values: Iterable[Value]) -> Iterator[tuple[Value, ...]]:
    """Yield `values` in their order, in tuples of as many as PeeringDB takes in one `__in` filter."""
    return batched(values, IN_MAX)


def _checked_url(url: str, setting: str) -> str:
    """`url` without its last slash. PeeringDBUnreachable when it is none that the client may ask."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise PeeringDBUnreachable(
            _(
                "{setting} must be a URL that starts with http:// or https:// and names a host and no user."
            ).format(setting=setting)
        )
    return url.rstrip("/")


def _checked_key(key: str | None) -> str | None:
    # `requests` would say the same, and show the key.
    if key is not None and not re.fullmatch(r"[!-~]+", key):
        raise PeeringDBKeyRefused(
            _(
                "The API key that peeringdb_api_key names holds blanks or characters that no key has. Correct it."
            )
        )
    return key


def _checked_tag(tag: str) -> str:
    if tag not in TAGS:
        raise ValueError(f"PeeringDB has no type {tag!r}; it has {', '.join(TAGS)}.")
    return tag


def _parameter(name: str, value: Any) -> str:
    """The text of one filter's value in a URL."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    values = [_parameter(name, item) for item in value]
    if len(values) > IN_MAX:
        raise ValueError(f"{name} has {len(values)} values, PeeringDB takes {IN_MAX}: use in_batches.")
    return ",".join(values)


def _checked_body(query: _Query, reply: Reply) -> bytes:
    """
    The body of an answer that looks whole. Broken when it was cut, PeeringDBMalformed when it never was a list.

    A server that closes the connection as the mark of the end, or a proxy, can cut without HTTP noticing.
    """
    body = reply.body
    if not body:
        raise CutOff(_("is empty"))
    first = body[:256].lstrip()[:1]
    if first == b"<":
        raise _malformed(query, _("is a web page"))
    if first != b"{":
        raise _malformed(query, _("is not a JSON object"))
    if body[-256:].rstrip()[-1:] != b"}":
        raise CutOff(_("is cut off"))
    if b'"data"' not in body:
        raise _malformed(query, _("has no data"))
    return body


def _is_empty_list(reply: Reply) -> bool:
    """Whether this is what PeeringDB says when a filter for one object (`id`, a network's `asn`) finds none."""
    return reply.status == 404 and _envelope(reply.body).get("data") == []


def _rows(query: _Query, body: bytes) -> Iterator[Any]:
    try:
        yield from read_rows(body)
    except BrokenBody as error:
        raise _malformed(query, str(error)) from error


def _malformed(query: _Query, reason: str) -> PeeringDBMalformed:
    return PeeringDBMalformed(
        _(
            "The answer of {query} {reason}. Check that {setting} is right and that no proxy changes what comes from "
            "there."
        ).format(query=query, reason=reason, setting=query.setting)
    )


def _key_refused(query: _Query, said: str) -> PeeringDBKeyRefused:
    if query.key is None:
        message = _("{query} is not shown without an API key: {said}. Set peeringdb_api_key.")
    else:
        message = _(
            "PeeringDB does not accept the API key: {said}. Correct the key that peeringdb_api_key names."
        )
    return PeeringDBKeyRefused(message.format(query=query, said=said))


def _said(reply: Reply, key: str | None) -> str:
    """The status of an answer that is no list, with the reason that PeeringDB gives for it."""
    status = f"{reply.status} {reply.reason}".strip()
    reason = _reason_in(reply.body).rstrip(".")
    if key:
        reason = reason.replace(key, "…")
    return shown(f"{status}: {reason}" if reason else status)


def _reason_in(body: bytes) -> str:
    """PeeringDB's own words out of {"message": …}, {"detail": …} or {"meta": {"error": …}}, "" without."""
    said = _envelope(body)
    meta = said.get("meta")
    error = meta.get("error") if isinstance(meta, dict) else None
    return next(
        (text for text in (said.get("message"), said.get("detail"), error) if isinstance(text, str)), ""
    )


def _envelope(body: bytes) -> dict[str, Any]:
    """The short JSON object that a refusal holds; empty when it is something else."""
    try:
        said = json.loads(body[:10_000])
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _shown_time(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"
