"""A load's latencies as a page of HTML with one picture: no script, no network, light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from html import escape

from .histogram import PER_DOUBLING, Histogram, microseconds
from .load import Load

WIDE, HIGH = 860, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 44, 48
QUANTILES = (50, 90, 99, 99.9)
TICKS = (1, 2, 5)

STYLE = """
:root{--ink:#1c2330;--dim:#667085;--paper:#fff;--line:#d5dae3;--bar:#5b7bc9;--mark:#d9480f}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ef;--dim:#98a2b3;--paper:#14171d;--line:#333b49;
--bar:#7f9be0;--mark:#ff8a4c}}
body{margin:0;padding:1.5em;background:var(--paper);color:var(--ink);font:14px/1.5 system-ui,sans-serif}
h1{font-size:18px;margin:0 0 .4em}p{margin:0 0 .3em;color:var(--dim);font-variant-numeric:tabular-nums}
svg{max-width:100%;height:auto;display:block}text{font:11px system-ui,sans-serif;fill:var(--dim)}
.bar{fill:var(--bar)}.grid{stroke:var(--line)}.mark{stroke:var(--mark);stroke-dasharray:4 3}
text.mark{fill:var(--mark);stroke:none;font-weight:600}
"""


def page(load: Load, title: str) -> str:
    """A whole document."""
    told = "".join(f"<p>{escape(line)}</p>" for line in load.lines())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"/>'
        '<meta name="color-scheme" content="light dark"/>'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'\"/>"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{told}{picture(load.histogram)}</body></html>\n"
    )


def picture(histogram: Histogram) -> str:
    """A bar for each eighth of a doubling, on logarithmic axes both ways."""
    bars = merged(histogram, PER_DOUBLING // 8)
    if not bars:
        return "<p>nothing was asked</p>"
    width = PER_DOUBLING // 8
    first, last = min(bars), max(bars) + width
    most = max(bars.values())

    def x(bucket: float) -> float:
        return LEFT + (WIDE - LEFT - RIGHT) * (bucket - first) / (last - first)

    def y(count: float) -> float:
        # One is to be seen too: the axis begins below it.
        share = math.log10(count * 2) / math.log10(most * 2)
        return HIGH - BOTTOM - (HIGH - TOP - BOTTOM) * share

    shapes = [*down(most, y), *along(first, last, x)]
    for bucket, count in sorted(bars.items()):
        left, top = x(bucket), y(count)
        label = (
            f"{micros(microseconds(bucket))} to {micros(microseconds(bucket + width))}: {count:,}"
        )
        shapes.append(
            f'<rect class="bar" x="{left:.1f}" y="{top:.1f}" width="{max(x(bucket + width) - left - 1, 0.5):.1f}"'
            f' height="{HIGH - BOTTOM - top:.1f}"><title>{label}</title></rect>'
        )
    for row, percent in enumerate(QUANTILES):
        value = histogram.quantile(percent)
        at = min(max(x(math.log2(value * 1e3) * PER_DOUBLING), LEFT), WIDE - RIGHT)
        # Close ones do not write over each other.
        height, anchor = 12 + 11 * (row % 3), "end" if at > WIDE * 0.8 else "start"
        shapes.append(
            f'<line class="mark" x1="{at:.1f}" x2="{at:.1f}" y1="{height}" y2="{HIGH - BOTTOM}"/>'
            f'<text class="mark" x="{at + (4 if anchor == "start" else -4):.1f}" y="{height + 4}"'
            f' text-anchor="{anchor}">p{percent:g} {micros(value)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" role="img"'
        f' aria-label="How long requests took">{"".join(shapes)}</svg>'
    )


def merged(histogram: Histogram, width: int) -> dict[int, int]:
    """Counts of wider buckets, by where they begin."""
    bars: dict[int, int] = {}
    for bucket, count in histogram.buckets.items():
        bars[bucket // width * width] = bars.get(bucket // width * width, 0) + count
    return bars


def along(first: int, last: int, x: Callable[[float], float]) -> Iterator[str]:
    """The axis of time, with as many ticks as have room."""
    decades = range(
        math.floor(math.log10(microseconds(first))), math.ceil(math.log10(microseconds(last))) + 1
    )
    steps = TICKS if len(decades) <= 5 else (1,)
    for value in (step * 10.0**decade for decade in decades for step in steps):
        bucket = math.log2(value * 1e3) * PER_DOUBLING
        if first <= bucket <= last:
            at = x(bucket)
            yield f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HIGH - BOTTOM + 5}"/>'
            yield f'<text x="{at:.1f}" y="{HIGH - BOTTOM + 18}" text-anchor="middle">{micros(value)}</text>'
    yield f'<text x="{(LEFT + WIDE - RIGHT) / 2:.1f}" y="{HIGH - 8}" text-anchor="middle">time of a request</text>'


def down(most: int, y: Callable[[float], float]) -> Iterator[str]:
    """The axis of requests: a line for each power of ten."""
    yield f'<text x="{LEFT - 6}" y="{TOP - 8}" text-anchor="end">requests</text>'
    for power in range(math.floor(math.log10(most)) + 1):
        at = y(10**power)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{10**power:,}</text>'


def micros(value: float) -> str:
    """A time with its unit."""
    for unit, factor in (("s", 1e6), ("ms", 1e3), ("µs", 1.0)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value * 1e3:.3g} ns"
