"""What is sent is SQL to somebody else's parser too."""

from __future__ import annotations

import random
import re
from typing import Any, Literal

import pytest
import sqlglot

import rowmill as rm
from tests.expression_cases import NOTATION, POOLS, Maker, schema
from tests.expression_engines import expression, table

CASES = 1500


@pytest.mark.parametrize(("dialect", "reader"), [("postgresql", "postgres"), ("sqlite", "sqlite")])
def test_each_text_is_read_by_another_parser(
    dialect: Literal["postgresql", "sqlite"], reader: str
) -> None:
    dice = random.Random(3)
    columns = schema(dice, 1)
    rows = table("t", columns)
    names: dict[str, Any] = {column.name: getattr(rows, column.name) for column in columns}
    maker = Maker(dice, columns)
    for _ in range(CASES):
        made = maker.expression(dice.choice(list(POOLS)), 4)
        if dialect == "sqlite" and any(word in made for word in ("iv", "timedelta", "Interval")):
            continue  # which has no intervals
        text, _ = rm.select(names["id"], v=expression(made, names)).sql(dialect)
        # That parser knows no numbers of placeholders in SQLite's dialect.
        read = sqlglot.parse(re.sub(r"\?(\d+)", r":p\1", text), dialect=reader)
        assert len(read) == 1
        assert isinstance(read[0], sqlglot.exp.Select)
        assert [column.alias_or_name for column in read[0].selects] == ["id", "v"]
    assert set(maker.reached) == set(NOTATION)
