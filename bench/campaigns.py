"""Campaigns and requests such as a bidder has, from a seed: 31 attributes, 3 to 10 conditions a campaign, every sixth
with an `or`, of which a request satisfies about one in two hundred."""

from __future__ import annotations

import random
from typing import Any

Condition = tuple[str, Any, Any]
"""`within`, `without`, `holds`, `lacks`, `range`, `is`, `any of`; the attribute; what it is asked for."""

WORDS = {
    "country": 40,
    "region": 300,
    "city": 5_000,
    "postal": 20_000,
    "device": 4,
    "os": 6,
    "browser": 8,
    "connection": 5,
    "language": 30,
    "gender": 3,
    "exchange": 12,
    "position": 6,
    "size": 20,
    "domain": 20_000,
    "publisher": 5_000,
    "bundle": 10_000,
}
INTS = {"age": 80, "hour": 24, "weekday": 7, "score": 1_000_000, "impressions": 60}
FLOATS = {"floor": 20.0, "viewability": 1.0, "lat": 90.0, "lon": 180.0}
BOOLS = ("app", "secure", "child")
LISTS = {"categories": (4, 400), "segments": (25, 5_000), "deals": (3, 1_000)}
MISSING = {
    "region": 10, "city": 20, "postal": 30, "connection": 20, "language": 10, "gender": 40,
    "domain": 5, "publisher": 5, "bundle": 50, "age": 50, "score": 10, "impressions": 10, "floor": 5,
    "viewability": 15, "lat": 30, "lon": 30, "child": 5, "categories": 5, "segments": 20, "deals": 60,
}  # fmt: skip
"""Of a hundred requests."""
ATTRIBUTES: dict[str, Any] = {
    **dict.fromkeys(WORDS, str),
    **dict.fromkeys(INTS, int),
    **dict.fromkeys(FLOATS, float),
    **dict.fromkeys(BOOLS, bool),
    "categories": list[str],
    "segments": list[int],
    "deals": list[str],
}

# Attribute, how many values from and to, whether they are shut out, and how many of the conditions are such.
CHOICES = [
    ("country", 1, 4, False, 12), ("region", 2, 20, False, 3), ("city", 2, 20, False, 2),
    ("postal", 5, 40, False, 1), ("device", 1, 2, False, 8), ("os", 1, 3, False, 6),
    ("browser", 1, 4, False, 3), ("connection", 1, 3, False, 2), ("language", 1, 3, False, 5),
    ("gender", 1, 1, False, 3), ("exchange", 2, 6, False, 5), ("position", 1, 4, False, 4),
    ("size", 2, 8, False, 6), ("domain", 5, 40, True, 5), ("domain", 10, 60, False, 2),
    ("publisher", 2, 20, True, 3), ("bundle", 2, 20, True, 2), ("weekday", 4, 10, False, 3),
    ("categories", 3, 15, False, 4), ("categories", 1, 15, True, 3), ("segments", 5, 30, False, 5),
    ("segments", 1, 30, True, 3), ("deals", 1, 5, False, 1), ("age", 0, 0, False, 4),
    ("hour", 0, 0, False, 4), ("score", 0, 0, False, 3), ("impressions", 0, 0, False, 5),
    ("floor", 0, 0, False, 6), ("viewability", 0, 0, False, 3), ("app", 0, 0, False, 3),
    ("secure", 0, 0, False, 2), ("child", 0, 0, False, 2),
]  # fmt: skip
WEIGHTS = [choice[-1] for choice in CHOICES]


def often(dice: random.Random, end: int) -> int:
    """A number below, the small ones more often, as popular values are."""
    return int(end * dice.random() ** 1.2)


def value(attribute: str, number: int) -> Any:
    """A value by its number."""
    return number if ATTRIBUTES[attribute] in (int, list[int]) else f"{attribute[:2]}-{number}"


def condition(dice: random.Random) -> Condition:
    """One condition."""
    attribute, least, most, out, _ = dice.choices(CHOICES, WEIGHTS)[0]
    if attribute in BOOLS:
        return "is", attribute, dice.random() < 0.5
    if attribute in FLOATS:
        end = FLOATS[attribute]
        bounds = (
            (None, end * dice.random() ** 0.5)
            if attribute == "floor"
            else (dice.random() ** 2, None)
        )
        return "range", attribute, bounds
    if most == 0:
        end = INTS[attribute]
        low = int(end * dice.random() ** 2 * 0.7)
        return "range", attribute, (low, None if attribute == "score" else low + end // 3)
    end = LISTS[attribute][1] if attribute in LISTS else {**WORDS, **INTS}[attribute]
    numbers = {often(dice, end) for _ in range(dice.randint(least, most))}
    values = [value(attribute, number) for number in sorted(numbers)]
    kinds = ("holds", "lacks") if attribute in LISTS else ("within", "without")
    return kinds[out], attribute, values


def campaign(dice: random.Random) -> list[Condition]:
    """Conditions of which all have to be true."""
    count = dice.randint(3, 10)
    parts: dict[Any, Condition] = {}
    while len(parts) < count:
        part = condition(dice)
        parts.setdefault(part[1], part)
    every = list(parts.values())
    if dice.random() < 0.17:
        branches = [condition(dice) for _ in range(dice.randint(2, 3))]
        every.append(("any of", branches, None))
    return every


def request(dice: random.Random) -> dict[str, Any]:
    """A record, of which some attributes are missing."""
    record: dict[str, Any] = {}
    for attribute in ATTRIBUTES:
        if dice.random() * 100 < MISSING.get(attribute, 1):
            continue
        if attribute in LISTS:
            most, end = LISTS[attribute]
            few = range(dice.randint(max(1, most // 2), most * 3 // 2))
            record[attribute] = [value(attribute, often(dice, end)) for _ in few]
        elif attribute in WORDS:
            record[attribute] = value(attribute, often(dice, WORDS[attribute]))
        elif attribute in INTS:
            record[attribute] = dice.randrange(INTS[attribute])
        elif attribute in FLOATS:
            record[attribute] = dice.random() * FLOATS[attribute]
        else:
            record[attribute] = dice.random() < 0.5
    return record
