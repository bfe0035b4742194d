"""A frame as a table for people: in text, and in HTML for notebooks.

Both look at a few rows and columns at the ends only, and at the first characters of a cell, so that
a frame of any size is shown at once. Of one that was filtered the columns that are shown are copied first.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from rowmill._cli_text import cells, cut, printable

if TYPE_CHECKING:
    from rowmill._rowmill import Frame

# Rows and columns shown; more are left out in the middle.
_ROWS = 10
_COLUMNS = 8
_HTML_COLUMNS = 20
# Characters of a cell.
_WIDEST = 32
_HTML_WIDEST = 100

_NUMBERS = ("int", "uint", "float", "decimal")


def table(frame: Frame) -> str:
    """The shape, and a box of names, types and rows."""
    columns = _ends(frame.shape[1], _COLUMNS)
    if frame.shape[1] == 0:
        return _shape(frame)
    rows = _ends(len(frame), _ROWS)
    drawn: list[list[str]] = []
    right: list[bool] = []
    for at in columns:
        if at is None:
            drawn.append(["…", "…"] + ["…"] * len(rows))
            right.append(False)
            continue
        name, kind = frame.columns[at], frame.schema.types[at]
        body = [cut(printable(text), _WIDEST, "…") for text in _texts(frame, at, rows, _WIDEST)]
        drawn.append([cut(printable(name), _WIDEST, "…"), cut(kind, _WIDEST, "…"), *body])
        right.append(kind.startswith(_NUMBERS))
    widths = [max(map(cells, column)) for column in drawn]
    lines = [
        "│ " + " ┆ ".join(map(_aligned, line, widths, right)) + " │"
        for line in zip(*drawn, strict=True)
    ]
    rules = ["─" * (width + 2) for width in widths]
    return "\n".join(
        [
            _shape(frame),
            "┌" + "┬".join(rules) + "┐",
            *lines[:2],
            "╞" + "╪".join(rule.replace("─", "═") for rule in rules) + "╡",
            *lines[2:],
            "└" + "┴".join(rules) + "┘",
        ]
    )


def html(frame: Frame) -> str:
    """The same as an HTML table."""
    columns = _ends(frame.shape[1], _HTML_COLUMNS)
    rows = _ends(len(frame), _ROWS)
    head, kinds, body = [], [], [[] for _ in rows]  # type: ignore[var-annotated]
    for at in columns:
        if at is None:
            head.append("<th>…</th>")
            kinds.append("<td>…</td>")
            for line in body:
                line.append("<td>…</td>")
            continue
        kind = frame.schema.types[at]
        align = "right" if kind.startswith(_NUMBERS) else "left"
        head.append(f'<th style="text-align:{align}">{_escaped(frame.columns[at])}</th>')
        kinds.append(f'<td style="text-align:{align}"><small>{_escaped(kind)}</small></td>')
        texts = _texts(frame, at, rows, _HTML_WIDEST)
        for line, text in zip(body, texts, strict=True):
            line.append(f'<td style="text-align:{align}">{_escaped(text)}</td>')
    lines = [f"<tr>{''.join(line)}</tr>" for line in body]
    return (
        f"<div><small>{_shape(frame)}</small><table><thead><tr>{''.join(head)}</tr>"
        f"<tr>{''.join(kinds)}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _shape(frame: Frame) -> str:
    rows, columns = frame.shape
    plural = "" if rows == 1 else "s", "" if columns == 1 else "s"
    return f"{rows:,} row{plural[0]} × {columns:,} column{plural[1]}"


def _ends(count: int, most: int) -> list[int | None]:
    """Positions from both ends, None where some are left out."""
    if count <= most:
        return [*range(count)]
    half = most // 2
    return [*range(most - half), None, *range(count - half, count)]


def _texts(frame: Frame, at: int, rows: list[int | None], most: int) -> list[str]:
    """The cells of a column; NULL is the bare word."""
    found = iter(frame._texts(at, [row for row in rows if row is not None], most))
    texts = ("…" if row is None else next(found) for row in rows)
    return ["NULL" if text is None else text for text in texts]


def _aligned(text: str, width: int, right: bool) -> str:
    pad = " " * (width - cells(text))
    return pad + text if right else text + pad


def _escaped(text: str) -> str:
    return escape(printable(cut(text, _HTML_WIDEST, "…")))
