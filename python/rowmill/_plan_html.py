"""A plan as a picture in HTML: cards joined by lines, the most expensive one lit.

It needs nothing else: no script, no network. What a card has no room for shows when the pointer is
on it or the Tab key has reached it.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from rowmill._cli_text import cut, printable
from rowmill._plan_text import facts, numbers

if TYPE_CHECKING:
    from rowmill._plan import Plan, PlanNode

# Characters of a name on a card, and of a condition or a statement: generated ones go on for pages.
ON_CARD = 60
LONGEST = 2_000
# Cards; beyond it nobody sees a picture any more, and browsers stop nesting at 512.
DEEPEST = 200

STYLE = """
.rowmill-plan{--ink:#1c2330;--dim:#667085;--paper:#fff;--card:#f6f7f9;--line:#c3c9d4;--hot:#d9480f;
--glow:#fff1e6;--warn:#b54708;--bar:#7c8db5;color:var(--ink);background:var(--paper);
font:14px/1.4 system-ui,sans-serif;padding:1em;overflow-x:auto}
@media (prefers-color-scheme:dark){.rowmill-plan{--ink:#e6e9ef;--dim:#98a2b3;--paper:#14171d;
--card:#1f242d;--line:#465063;--hot:#ff8a4c;--glow:#3a2418;--warn:#f7b267;--bar:#8ea3d0}}
.rowmill-plan pre{margin:0 0 .8em;white-space:pre-wrap;overflow-wrap:anywhere;
font:12px/1.5 ui-monospace,monospace;color:var(--dim);max-height:12em;overflow:auto}
.rowmill-plan ul{list-style:none;margin:0;padding:0 0 0 1.6em}
.rowmill-plan>ul{padding:0}
.rowmill-plan li{position:relative;padding:.25em 0;margin:0}
.rowmill-plan li li::before{content:"";position:absolute;left:-.9em;top:0;width:.9em;height:1.5em;
border:solid var(--line);border-width:0 0 1.5px 1.5px;border-bottom-left-radius:6px}
.rowmill-plan li li:not(:last-child)::after{content:"";position:absolute;left:-.9em;top:0;bottom:0;
border-left:1.5px solid var(--line)}
.rowmill-plan .node{position:relative;display:inline-block;min-width:17em;max-width:34em;padding:.4em .7em .5em;
background:var(--card);border:1.5px solid var(--line);border-radius:7px;outline:none}
.rowmill-plan .node:hover,.rowmill-plan .node:focus{border-color:var(--ink);z-index:2}
.rowmill-plan .node:focus-visible{box-shadow:0 0 0 3px var(--bar)}
.rowmill-plan .hot{background:var(--glow);border-color:var(--hot);box-shadow:0 0 14px -2px var(--hot)}
.rowmill-plan b{font-weight:600}
.rowmill-plan .on{font-family:ui-monospace,monospace;font-size:12px;overflow-wrap:anywhere}
.rowmill-plan .told{color:var(--dim);font-size:12px;font-variant-numeric:tabular-nums}
.rowmill-plan .flag{color:var(--hot);font-size:12px;font-weight:600;float:right;margin-left:1em}
.rowmill-plan .share{height:4px;margin-top:.35em;border-radius:2px;background:var(--line)}
.rowmill-plan .share i{display:block;height:4px;border-radius:2px;background:var(--bar)}
.rowmill-plan .hot .share i{background:var(--hot)}
.rowmill-plan .warn{color:var(--warn);font-size:12px;margin:.2em 0 0}
.rowmill-plan dl{display:none;position:absolute;left:1em;top:calc(100% - .2em);z-index:3;margin:0;
width:max-content;max-width:min(46em,80vw);padding:.6em .8em;border-radius:7px;color:var(--ink);
background:var(--paper);border:1.5px solid var(--ink);box-shadow:0 6px 24px #0004;font-size:12px;
grid-template-columns:max-content 1fr;gap:.15em 1em}
.rowmill-plan .node:hover>dl,.rowmill-plan .node:focus>dl{display:grid}
.rowmill-plan dt{color:var(--dim);font-weight:400;margin:0}
.rowmill-plan dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.rowmill-plan footer{margin-top:.8em;color:var(--dim);font-size:12px;padding-bottom:8em}
@media (max-width:40em){.rowmill-plan{padding:.6em}.rowmill-plan ul ul{padding-left:.7em}
.rowmill-plan li li::before{left:-.5em;width:.5em}.rowmill-plan li li:not(:last-child)::after{left:-.5em}
.rowmill-plan .node{display:block;box-sizing:border-box;min-width:9em;max-width:none}
.rowmill-plan dl{left:0;right:0;width:auto;max-width:none;grid-template-columns:auto 1fr}}
@media print{.rowmill-plan footer{padding:0}}
"""


def page(plan: Plan) -> str:
    """A whole document."""
    top = plan.nodes[0].title if plan.nodes else "nothing"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        # Should a name ever come through unescaped, nothing that it brings may load or run.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'\">"
        f"<title>Plan: {_escaped(top, ON_CARD)}</title>"
        "<style>body{margin:0}@media (prefers-color-scheme:dark){body{background:#14171d}}</style>"
        f"</head><body>{picture(plan)}</body></html>\n"
    )


def picture(plan: Plan) -> str:
    """The picture alone, for a notebook."""
    hottest, total = plan.hottest, _whole(plan)
    cards = "".join(_cards(plan.nodes, hottest, total))
    told = "<br>".join(_escaped(line) for line in facts(plan))
    return (
        f'<div class="rowmill-plan"><style>{STYLE}</style>'
        f"<pre>{escape(cut(_lines(plan.sql), LONGEST, '…'))}</pre>"
        f"<ul>{cards}</ul><footer>{told}</footer></div>"
    )


def _whole(plan: Plan) -> float:
    """What the nodes' own shares are of: all time, else all cost."""
    nodes = list(plan.walk())
    return sum(n.own_ms or 0.0 for n in nodes) or sum(n.own_cost or 0.0 for n in nodes)


def _cards(roots: tuple[PlanNode, ...], hottest: PlanNode | None, total: float) -> Iterator[str]:
    # Not by recursion: a plan may be deeper than Python's stack.
    waiting: list[tuple[PlanNode, int] | str] = [(node, 1) for node in reversed(roots)]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
            continue
        node, depth = item
        yield f"<li>{_card(node, node is hottest, total)}"
        if node.children and depth < DEEPEST:
            yield "<ul>"
            waiting.append("</ul></li>")
            waiting.extend((child, depth + 1) for child in reversed(node.children))
        else:
            yield '<p class="told">… (deeper than is drawn)</p></li>' if node.children else "</li>"


def _card(node: PlanNode, hot: bool, total: float) -> str:
    own = node.own_ms if node.own_ms is not None else node.own_cost
    share = 0.0 if own is None or not total else min(100.0, 100 * own / total)
    title = node.kind if node.cost is None else f"{node.detail} {node.kind}".strip()
    named = " ".join(filter(None, (node.table, node.alias if node.alias != node.table else None)))
    on = [_escaped(named, ON_CARD)] if named else []
    if node.index:
        on.append(f"by {_escaped(node.index, ON_CARD)}")
    lines = [f"<b>{_escaped(title, ON_CARD)}</b>"]
    if hot:
        lines.insert(0, '<span class="flag">most expensive</span>')
    if on:
        lines.append(f'<div class="on">{" ".join(on)}</div>')
    if told := _told(node, share):
        lines.append(f'<div class="told">{told}</div>')
    if own is not None:
        lines.append(f'<div class="share"><i style="width:{share:.1f}%"></i></div>')
    lines += [f'<div class="warn">⚠ {_escaped(warning, 200)}</div>' for warning in node.warnings]
    details = "".join(
        f"<dt>{_escaped(name)}</dt><dd>{_escaped(said)}</dd>" for name, said in _details(node)
    )
    kind = "node hot" if hot else "node"
    return f'<div class="{kind}" tabindex="0">{"".join(lines)}<dl>{details}</dl></div>'


def _told(node: PlanNode, share: float) -> str:
    if node.loops == 0:
        return "never run"
    told = []
    if node.own_ms is not None:
        told.append(f"{node.own_ms:,.2f} ms, {share:.0f} %")
    elif node.own_cost is not None:
        told.append(f"{share:.0f} % of the cost")
    if node.rows is not None:
        rows = round(node.rows * (node.loops or 1))
        told.append(f"{rows:,} row{'' if rows == 1 else 's'}")
    elif node.rows_estimated is not None:
        told.append(f"{node.rows_estimated:,.0f} rows expected")
    return " · ".join(told)


def _details(node: PlanNode) -> Iterator[tuple[str, str]]:
    if node.cost is None:
        yield "step", node.detail
    names = ("own ms", "total ms", "rows of a loop", "rows expected", "loops", "cost")
    yield from ((name, said) for name, said in zip(names, numbers(node), strict=True) if said)
    yield from node.conditions
    if node.filter:
        yield "Filter", node.filter
    if node.rows_removed is not None:
        yield "Rows removed by filter", f"{node.rows_removed:,.0f} of a loop"
    if node.buffers is not None:
        for name in ("hit", "read", "dirtied", "written", "temp_read", "temp_written"):
            if blocks := getattr(node.buffers, name):
                yield f"Blocks {name.replace('_', ' ')}", f"{blocks:,}"


def _lines(text: str) -> str:
    """A text whose lines stay, with everything else that is not to be seen written out."""
    return "\n".join(map(printable, text.strip().splitlines()))


def _escaped(text: str, most: int = LONGEST) -> str:
    return escape(cut(printable(text), most, "…"))
