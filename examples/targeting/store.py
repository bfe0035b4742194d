"""The table of campaigns, and what changed in it since.

A change gets the next number of a clock, a row that stays locked until the change is committed: so changes are seen in
the order of their numbers, and whoever has read all up to one has missed none that commits late. A campaign that is
deleted stays as a tombstone, for otherwise nobody would hear of it; one that is inserted under its id takes its place.
Triggers see to both, whoever writes, and refuse what would go unseen: an id that changes, and `truncate`. What they do
in place of a delete or an insert is not among the rows that the statement counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple, Self

import rowmill as rm

from .campaigns import Campaign

SQLITE = """
create table campaign_clock (version integer not null);
insert into campaign_clock values (0);
create table campaigns (
    id integer primary key,
    filter text not null check (typeof(filter) = 'text'),
    bid real not null check (typeof(bid) in ('real', 'integer')),
    active boolean not null default true,
    deleted boolean not null default false,
    version integer not null default 0
);
create index campaigns_version on campaigns (version, id);
create trigger campaigns_revived before insert on campaigns
when exists (select 1 from campaigns where id = new.id and deleted) begin
    update campaigns set filter = new.filter, bid = new.bid, active = new.active, deleted = new.deleted
    where id = new.id;
    select raise(ignore);
end;
create trigger campaigns_kept before update on campaigns when new.id <> old.id begin
    select raise(abort, 'the id of a campaign does not change: delete it, and insert another');
end;
create trigger campaigns_inserted after insert on campaigns begin
    update campaign_clock set version = version + 1;
    update campaigns set version = (select version from campaign_clock) where id = new.id;
end;
create trigger campaigns_updated after update of filter, bid, active, deleted on campaigns begin
    update campaign_clock set version = version + 1;
    update campaigns set version = (select version from campaign_clock) where id = new.id;
end;
create trigger campaigns_deleted before delete on campaigns begin
    update campaigns set deleted = true where id = old.id;
    select raise(ignore);
end;
"""

POSTGRES = """
create table campaign_clock (version bigint not null);
insert into campaign_clock values (0);
create table campaigns (
    id bigint primary key,
    filter jsonb not null,
    bid double precision not null,
    active boolean not null default true,
    deleted boolean not null default false,
    version bigint not null default 0
);
create index campaigns_version on campaigns (version, id);
create or replace function campaign_tick() returns trigger language plpgsql as $$ begin
    update campaign_clock set version = version + 1;
    return null;
end $$;
create or replace function campaign_stamp() returns trigger language plpgsql as $$ begin
    if tg_op = 'UPDATE' and new.id <> old.id then
        raise exception 'the id of a campaign does not change: delete it, and insert another';
    end if;
    new.version := (select version from campaign_clock);
    return new;
end $$;
create or replace function campaign_bury() returns trigger language plpgsql as $$ begin
    update campaigns set deleted = true where id = old.id;
    return null;
end $$;
create or replace function campaign_revive() returns trigger language plpgsql as $$ begin
    update campaigns set filter = new.filter, bid = new.bid, active = new.active, deleted = new.deleted
    where id = new.id and deleted;
    if found then
        return null;
    end if;
    return new;
end $$;
create or replace function campaign_refuse() returns trigger language plpgsql as $$ begin
    raise exception 'truncate leaves no tombstones: delete from campaigns';
end $$;
-- Of a delete too, whose rows are locked before their own trigger runs: the clock comes first, or two may deadlock.
create trigger campaigns_tick before insert or update or delete on campaigns
    for each statement execute function campaign_tick();
create trigger campaigns_revive before insert on campaigns
    for each row execute function campaign_revive();
create trigger campaigns_stamp before insert or update on campaigns
    for each row execute function campaign_stamp();
create trigger campaigns_bury before delete on campaigns
    for each row execute function campaign_bury();
create trigger campaigns_refuse before truncate on campaigns
    for each statement execute function campaign_refuse();
"""

SQLITE_IS_MADE = "select count(*) from sqlite_master where name in ('campaigns', 'campaign_clock')"
POSTGRES_IS_MADE = (
    "select coalesce(to_regclass('campaigns'), to_regclass('campaign_clock')) is not null"
)
LIVE = "select id, filter, bid, version from campaigns where active and not deleted"
PAGE = 1_000
MAKE = "`python -m examples.targeting make DATABASE` makes campaigns"
LAST = 2**63 - 1
CHANGES = f"""
select version, id, filter, bid, active and not deleted as live from campaigns
where (version, id) > ($1, $2) order by version, id limit {PAGE}
"""


class NotReadyError(Exception):
    """The database is not as a verb needs it; the message says what to do."""


class Place(NamedTuple):
    """Up to where changes have been read."""

    version: int
    id: int


class Change(NamedTuple):
    """A campaign as it is now; one that is not live is to be seen by nobody any more."""

    version: int
    id: int
    filter: str
    bid: float
    live: bool


class Store:
    """The table, by the URL of its database."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        is_postgres = url.startswith(("postgres:", "postgresql:"))
        self.schema = POSTGRES if is_postgres else SQLITE
        self._is_made = POSTGRES_IS_MADE if is_postgres else SQLITE_IS_MADE
        if read_only and url.startswith("sqlite:///"):
            # A file that is not there is not made.
            url += f"{'&' if '?' in url else '?'}mode=ro"
        try:
            self.db = rm.Database(url)
        except rm.OperationalError as error:
            if "no such file" in error.args[0]:
                raise NotReadyError(f"{error.args[0]}; {MAKE}") from None
            raise

    def is_made(self) -> bool:
        """Whether tables of these names are there."""
        return bool(self.db.fetch_value(self._is_made))

    def create(self, campaigns: Iterator[Campaign]) -> int:
        """Make the table, and say how many campaigns it holds."""
        if self.is_made():
            raise NotReadyError(
                "this database has campaigns already; drop its tables campaigns and campaign_clock,"
                " or name another database"
            )
        self.db.execute_script(self.schema)
        parts = iter(lambda: [one._asdict() for one in itertools.islice(campaigns, PAGE)], [])
        return self.db.load("campaigns", parts)

    def live(self) -> tuple[rm.Frame, Place]:
        """All campaigns that are to be seen, and up to where these have been read."""
        frame = self.db.fetch(LIVE)
        # What is of one version was committed together.
        last = Place(max(frame["version"].to_list(), default=0), LAST)
        return frame.select("id", "filter", "bid"), last

    def changes(self, since: Place) -> Iterator[Change]:
        """What changed since then, in order, a page of it at a time."""
        while True:
            page = [Change(*row) for row in self.db.fetch(CHANGES, *since).to_tuples()]
            yield from page
            if len(page) < PAGE:
                return
            since = Place(page[-1].version, page[-1].id)

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()
