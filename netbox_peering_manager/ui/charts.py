"""
The history of a session as drawings: plain numbers for the SVG in templates. Pure, but for words.

Drawings are 1000 units wide and stretched to the page, so that all writing stands beside them and not in them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from django.utils.translation import gettext as _

from ..choices import BGPStateChoices
from ..services.monitoring.history import Point, Series, Span
from ..tables.states import moment

__all__ = ("Bar", "Chart", "Legend", "Line", "Strip", "chart", "charts", "strip")

WIDTH, HEIGHT = 1000, 160
# So many gaps as usual between two points are no line any more.
GAPS = 3
DASHES = {"received": "", "accepted": "6 3", "advertised": "2 3"}
COLORS = {"received": "blue", "accepted": "green", "advertised": "purple"}


@dataclass(frozen=True, slots=True)
class Bar:
    """A coloured part of a strip, from `x`, `width` wide; `text` says what it is."""

    x: float
    width: float
    color: str
    text: str


@dataclass(frozen=True, slots=True)
class Legend:
    """A state that occurs in a strip, and how much of the time, in percent."""

    label: str
    color: str
    percent: float


@dataclass(frozen=True, slots=True)
class Strip:
    """States over time. `text` says all of it in a sentence; `ticks` are times at equal distances, start to end."""

    bars: tuple[Bar, ...]
    legend: tuple[Legend, ...]
    text: str
    ticks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A counter over time: `paths` are SVG path data, one for each part without a gap; `dots` single points."""

    label: str
    color: str
    dashes: str
    paths: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    least: int
    most: int
    last: int


@dataclass(frozen=True, slots=True)
class Chart:
    """The counters of a family. `limit_y` is where the max-prefix line lies; None: it has none, or one far above."""

    family: int
    title: str
    lines: tuple[Line, ...]
    top: int
    limit: int | None
    limit_y: float | None
    text: str
    ticks: tuple[str, ...]


def strip(spans: Sequence[Span]) -> Strip:
    """Return the drawing of spans that follow each other without a gap; there is at least one."""
    start, end = spans[0].start, spans[-1].end
    bars = tuple(_bar(span, start, end) for span in spans)
    legend = _legend(spans)
    parts = ", ".join(f"{entry.label} {entry.percent:.1f} %" for entry in legend)
    text = _("State from {start} to {end}: {parts}").format(start=moment(start), end=moment(end), parts=parts)
    return Strip(bars, legend, text, _ticks(start, end))


def _bar(span: Span, start: datetime, end: datetime) -> Bar:
    x = _x(span.start, start, end)
    lines = [_label(span.bgp_state), f"{moment(span.start)} … {moment(span.end)}", span.reason]
    # Wide enough to be seen.
    width = max(_x(span.end, start, end) - x, 1.5)
    return Bar(x, round(width, 2), _color(span.bgp_state), "\n".join(filter(None, lines)))


def _legend(spans: Iterable[Span]) -> tuple[Legend, ...]:
    seconds: dict[str, float] = {}
    for span in spans:
        seconds[span.bgp_state] = seconds.get(span.bgp_state, 0) + span.seconds
    whole = sum(seconds.values()) or 1
    longest_first = sorted(seconds.items(), key=lambda entry: -entry[1])
    return tuple(Legend(_label(state), _color(state), 100 * time / whole) for state, time in longest_first)


def _label(state: str) -> str:
    return str(dict(BGPStateChoices)[state]) if state else _("Not known")


def _color(state: str) -> str:
    return BGPStateChoices.colors.get(state) or "secondary"


def charts(
    found: Sequence[Series], limits: dict[int, int | None], start: datetime, end: datetime
) -> tuple[Chart, ...]:
    """Return one drawing for each family that has a counter. `limits`: the max-prefix of each."""
    families = sorted({each.family for each in found})
    return tuple(
        chart([each for each in found if each.family == family], limits.get(family), start, end)
        for family in families
    )


def chart(found: Sequence[Series], limit: int | None, start: datetime, end: datetime) -> Chart:
    """Return the drawing of one family's counters; there is at least one, with at least one value."""
    most = max(max(each.values) for each in found)
    # A limit far above what is there would press the lines flat: it is told, not drawn.
    drawn = limit if limit and limit <= 4 * max(most, 1) else None
    top = round_up(max(most, drawn or 0, 1))
    lines = tuple(_line(each, top, start, end) for each in found)
    family = found[0].family
    text = "; ".join(
        _("{name}: {least} to {most}, {last} at the end").format(
            name=line.label, least=line.least, most=line.most, last=line.last
        )
        for line in lines
    )
    return Chart(
        family=family,
        title=f"IPv{family}",
        lines=lines,
        top=top,
        limit=limit,
        limit_y=None if drawn is None else _y(drawn, top),
        text=_("IPv{family} prefixes. {text}").format(family=family, text=text),
        ticks=_ticks(start, end),
    )


def _line(found: Series, top: int, start: datetime, end: datetime) -> Line:
    labels = {"received": _("Received"), "accepted": _("Accepted"), "advertised": _("Advertised")}
    runs = [
        [(_x(point.at, start, end), _y(point.value, top)) for point in run] for run in _runs(found.points)
    ]
    return Line(
        label=labels[found.counter],
        color=COLORS[found.counter],
        dashes=DASHES[found.counter],
        paths=tuple(_path(run) for run in runs if len(run) > 1),
        dots=tuple(run[0] for run in runs if len(run) == 1),
        least=min(found.values),
        most=max(found.values),
        last=found.values[-1],
    )


def _runs(points: Sequence[Point]) -> Iterable[list[Point]]:
    """Yield the points in runs without a gap: where nothing was told, and where nobody asked for long."""
    longest = _longest_step(points)
    run: list[Point] = []
    for point in points:
        if run and (point.value is None or point.at - run[-1].at > longest):
            yield run
            run = []
        if point.value is not None:
            run.append(point)
    if run:
        yield run


def _longest_step(points: Sequence[Point]) -> timedelta:
    steps = [(after.at - before.at).total_seconds() for before, after in pairwise(points)]
    # Samples are thinned with age, so that what is usual differs: the half of them is far from either end.
    return timedelta(seconds=GAPS * max(median(steps), sum(steps) / len(steps))) if steps else timedelta.max


def _path(run: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:g} {y:g}" for x, y in run)


def _x(at: datetime, start: datetime, end: datetime) -> float:
    whole = (end - start).total_seconds() or 1
    return round(WIDTH * (at - start).total_seconds() / whole, 2)


def _y(value: int | None, top: int) -> float:
    return round(HEIGHT * (1 - (value or 0) / top), 2)


def round_up(value: int) -> int:
    """Return the next number that an axis ends well with: 1, 2 or 5 times a power of ten, and what lies between."""
    power = 10 ** max(len(str(value)) - 1, 0)
    return next(
        int(step * power) for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if int(step * power) >= value
    )


def _ticks(start: datetime, end: datetime) -> tuple[str, ...]:
    """The first, middle and last time: to the minute within two days, else to the day."""
    text = moment if end - start <= timedelta(days=2) else lambda at: moment(at).partition(" ")[0]
    return tuple(text(start + (end - start) * part) for part in (0, 0.5, 1))
