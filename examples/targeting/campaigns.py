"""Campaigns and requests from a seed, as a bidder may have them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import rowmill as rm

Condition = rm.Expr[bool | None]

COUNTRIES = ["DE", "FR", "GB", "US", "IT", "ES", "PL", "AT", "JP"]
LANGUAGES = ["de", "fr", "en", "it", "es", "pl", "nl", "sv", "ja", "pt", "hi"]
DEVICES = ["phone", "desktop", "tablet", "tv"]
SYSTEMS = ["android", "ios", "windows", "macos", "linux"]
BROWSERS = ["chrome", "safari", "firefox", "edge", "samsung"]
CONNECTIONS = ["wifi", "5g", "4g", "cable"]
SIZES = ["300x250", "728x90", "320x50", "160x600", "970x250", "300x600"]
POSITIONS = ["above", "below", "sidebar", "interstitial"]
EXCHANGES = ["north", "south", "east", "west", "open"]
TOPICS = [
    "news", "sport", "games", "travel", "food", "cars", "music", "film", "fashion", "finance", "health",
    "science", "garden", "pets", "politics", "weather", "books", "housing", "jobs", "computers",
]  # fmt: skip
CITIES = {
    "Berlin": ("DE", 52.52, 13.40), "Hamburg": ("DE", 53.55, 9.99), "Munich": ("DE", 48.14, 11.58),
    "Paris": ("FR", 48.86, 2.35), "Lyon": ("FR", 45.76, 4.84), "London": ("GB", 51.51, -0.13),
    "New York": ("US", 40.71, -74.01), "Rome": ("IT", 41.90, 12.50), "Madrid": ("ES", 40.42, -3.70),
    "Warsaw": ("PL", 52.23, 21.01), "Vienna": ("AT", 48.21, 16.37), "Tokyo": ("JP", 35.68, 139.69),
}  # fmt: skip
ZONES = [-8, -5, 0, 1, 2, 9]
"""Whose hours campaigns run in: hours to the east of Greenwich."""
DOMAINS = [f"site{at}.example" for at in range(2_000)]

ATTRIBUTES: dict[str, Any] = {
    "country": str,
    "region": str,
    "city": str,
    "language": str,
    "device": str,
    "os": str,
    "browser": str,
    "connection": str,
    "carrier": str,
    "exchange": str,
    "publisher": str,
    "domain": str,
    "bundle": str,
    "size": str,
    "position": str,
    "gender": str,
    "age": int,
    "hour": int,  # of UTC
    "weekday": int,
    "impressions": int,  # that this person has seen today
    "clicks": int,
    "score": int,
    "floor": float,  # what a bid has to reach
    "viewability": float,
    "lat": float,
    "lon": float,
    "app": bool,
    "secure": bool,
    "child": bool,
    "topics": list[str],
    "segments": list[int],
    "deals": list[str],
}


class Campaign(NamedTuple):
    """What the table keeps of one."""

    id: int
    filter: str
    bid: float


def campaigns(seed: int, count: int) -> Iterator[Campaign]:
    """So many campaigns; those of one seed are always the same."""
    dice = random.Random(f"campaigns {seed}")
    for id in range(1, count + 1):
        bid = round(dice.lognormvariate(0, 0.8), 2)
        yield Campaign(id, condition(dice, bid).to_json(), bid)


def requests(seed: int) -> Iterator[dict[str, Any]]:
    """Requests without end; those of one seed are always the same."""
    dice = random.Random(f"requests {seed}")
    while True:
        yield request(dice)


def condition(dice: random.Random, bid: float) -> Condition:
    """Of whom a campaign is asked to be seen: a few conditions that all have to be true."""
    whole = (rm.col("country").in_(some(dice, COUNTRIES, 4))) & (rm.col("floor") <= bid)
    for kind in dice.sample(KINDS, dice.randint(2, 6)):
        whole &= kind(dice)
    return whole


def some(dice: random.Random, values: list[Any], most: int) -> list[Any]:
    """A few of them, the first ones more often."""
    return sorted({often(dice, values) for _ in range(dice.randint(1, most))})


def often(dice: random.Random, values: list[Any]) -> Any:
    """One of them, the first ones more often."""
    return values[int(len(values) * dice.random() ** 2)]


def local_hours(dice: random.Random) -> Condition:
    """From one hour to another where the campaign's people are, as hours of UTC."""
    zone, first = dice.choice(ZONES), dice.randint(6, 18)
    return rm.col("hour").in_([(hour - zone) % 24 for hour in range(first, first + 6)])


def ages(dice: random.Random) -> Condition:
    """An age, which has to be known."""
    least = dice.choice([18, 21, 25, 30, 40, 50])
    return rm.col("age").between(least, least + dice.choice([10, 15, 60]))


def around(dice: random.Random) -> Condition:
    """Not too far from a shop."""
    _, lat, lon = dice.choice(list(CITIES.values()))
    metres = dice.choice([5_000, 20_000, 100_000, 500_000])
    return rm.geo_within(rm.col("lat"), rm.col("lon"), lat, lon, metres)


def either(dice: random.Random) -> Condition:
    """People who are known to care, or pages for those who do."""
    topics = rm.col("topics").overlaps(some(dice, TOPICS, 3))
    return topics | rm.col("segments").overlaps(some(dice, list(range(500)), 10))


KINDS: list[Callable[[random.Random], Condition]] = [
    local_hours,
    ages,
    around,
    either,
    lambda dice: rm.col("device").in_(some(dice, DEVICES, 2)),
    lambda dice: rm.col("os").in_(some(dice, SYSTEMS, 2)),
    lambda dice: rm.col("language").in_(some(dice, LANGUAGES, 3)),
    lambda dice: rm.col("size").in_(some(dice, SIZES, 3)),
    lambda dice: ~rm.col("domain").in_(some(dice, DOMAINS, 20)),
    lambda dice: rm.col("topics").overlaps(some(dice, TOPICS, 5)),
    lambda dice: ~rm.col("topics").overlaps(some(dice, TOPICS, 3)),
    lambda dice: rm.col("impressions") < dice.randint(1, 10),
    lambda dice: rm.col("viewability") >= round(dice.random() * 0.8, 2),
    lambda dice: rm.col("weekday").in_(dice.sample(range(7), 5)),
    lambda dice: rm.col("app") == (dice.random() < 0.5),
    lambda _: ~rm.col("child"),
]


def request(dice: random.Random) -> dict[str, Any]:
    """What an exchange tells of a page and of whoever looks at it; some of it is not known."""
    city = often(dice, list(CITIES))
    country, lat, lon = CITIES[city]
    known = {
        "country": country,
        "region": f"region-{dice.randrange(16)}",
        "city": city,
        "language": often(dice, LANGUAGES),
        "device": often(dice, DEVICES),
        "os": often(dice, SYSTEMS),
        "browser": often(dice, BROWSERS),
        "connection": dice.choice(CONNECTIONS),
        "carrier": f"carrier-{dice.randrange(20)}",
        "exchange": dice.choice(EXCHANGES),
        "publisher": f"publisher-{dice.randrange(200)}",
        "domain": often(dice, DOMAINS),
        "bundle": f"com.example.app{dice.randrange(300)}",
        "size": often(dice, SIZES),
        "position": dice.choice(POSITIONS),
        "gender": dice.choice("fm"),
        "age": dice.randint(14, 80),
        "hour": dice.randrange(24),
        "weekday": dice.randrange(7),
        "impressions": int(12 * dice.random() ** 2),
        "clicks": int(3 * dice.random() ** 3),
        "score": dice.randrange(1_000),
        "floor": round(dice.lognormvariate(-1, 0.6), 2),
        "viewability": round(dice.random(), 2),
        "lat": round(lat + dice.gauss(0, 0.2), 4),
        "lon": round(lon + dice.gauss(0, 0.2), 4),
        "app": dice.random() < 0.4,
        "secure": dice.random() < 0.95,
        "child": dice.random() < 0.05,
        "topics": some(dice, TOPICS, 5),
        "segments": [dice.randrange(500) for _ in range(dice.randrange(20))],
        "deals": [f"deal-{dice.randrange(100)}"],
    }
    always = ("country", "floor", "hour", "weekday")
    return {name: one for name, one in known.items() if name in always or dice.random() < 0.9}
