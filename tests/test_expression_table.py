"""docs/expressions.md says of each operator what the library's table says."""

from __future__ import annotations

from tests.expression_table import documented, tables


def test_each_operator_is_as_documented() -> None:
    assert documented() == tables()
