"""The table of operators in docs/expressions.md: made of the library's own, compared by a test.

python -m tests.expression_table        rewrite the page's tables
"""

from __future__ import annotations

import re
from pathlib import Path

from rowmill import _rowmill

PAGE = Path(__file__).parent.parent / "docs" / "expressions.md"
HEAD = "| | meaning | NULL | PostgreSQL | SQLite |\n|---|---|---|---|---|"
PLACES = {"Row": "of a row", "Group": "of a group", "Window": "of a window", "Order": "of an order"}
# Spelled by the operands' kinds.
CASTS = {"Case": "case when a then b else c end", "ToInt": "by the kind", "ToFloat": "by the kind"}
LETTERS = "abcde"


def _shown(template: str) -> str:
    """A notation or a spelling with letters for its operands."""
    template = template.replace("{1!steps}", " ->> {1}")
    named = re.sub(r"\{(\d)(!\w+)?\}", lambda found: LETTERS[int(found[1])], template)
    joined = named.replace("{*!joined}", "a || b").replace(
        "{*!union}", 'a as "v" union all select b as "v"'
    )
    return joined.replace("{*}", "a, b, ...").replace("|", "\\|")


def row(operator: list[str]) -> str:
    """An operator's row."""
    name, notation, nulls, _, postgres, sqlite, doc = operator
    spelled = [_shown(text) or CASTS[name] for text in (postgres, sqlite)]
    null = "NULL" if nulls == "Spread" else "see there"
    if spelled[0] == spelled[1]:
        spelled[1] = "the same"
    cells = [f"`{text}`" if text not in ("the same", "by the kind") else text for text in spelled]
    meaning = doc.replace("|", "\\|")
    return f"| `{_shown(notation)}` | {meaning} | {null} | {' | '.join(cells)} |"


def tables() -> dict[str, str]:
    """The table of each place where an operator may stand."""
    made = {}
    for place in PLACES:
        rows = [row(operator) for operator in _rowmill.operators() if operator[3] == place]
        made[place] = "\n".join([HEAD, *rows])
    return made


def documented() -> dict[str, str]:
    """The page's tables."""
    text = PAGE.read_text()
    return {place: text.split(_mark(place))[1].strip() for place in PLACES}


def _mark(place: str) -> str:
    return f"<!-- {PLACES[place]} -->"


def main() -> None:
    """Rewrites the page."""
    text = PAGE.read_text()
    for place, table in tables().items():
        before, _, after = text.split(_mark(place))
        text = f"{before}{_mark(place)}\n{table}\n{_mark(place)}{after}"
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
