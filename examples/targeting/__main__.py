"""The command line: `python -m examples.targeting demo`, and `--help` for the rest."""

from __future__ import annotations

import argparse
import functools
import itertools
import sys
import tempfile
from pathlib import Path

import rowmill as rm

from . import load
from .campaigns import campaigns, requests
from .picture import page
from .server import serve
from .service import Bid, Service
from .store import NotReadyError, Store

DATABASE = "sqlite:///targeting.db"


def main(words: list[str] | None = None) -> int:
    """Run a verb; 1 when it cannot, with a message."""
    args = arguments().parse_args(words)
    try:
        args.run(args)
    except rm.Error as error:
        # Without the statement and its caret.
        hint = f": {error.hint}" if error.hint else ""
        print(f"targeting: {error.args[0]}{hint}", file=sys.stderr)
        return 1
    except (OSError, NotReadyError) as error:
        print(f"targeting: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="targeting",
        description="Which campaigns may bid for a request, and which of them bid most.",
        epilog="DATABASE is sqlite:///file.db or postgresql://user@host/name.",
    )
    verbs = parser.add_subparsers(required=True, metavar="make | serve | load | demo")

    one = verbs.add_parser("make", help="put made-up campaigns into a database")
    one.set_defaults(run=make)
    database(one)
    how_many(one, 10_000)
    seed(one)

    one = verbs.add_parser("serve", help="answer POST /bid on this machine, GET /health and /stats")
    one.set_defaults(run=answer)
    database(one)
    one.add_argument(
        "--port",
        type=port,
        default=8080,
        help="the port of 127.0.0.1, %(default)s; 0 is a free one",
    )
    every(one)

    one = verbs.add_parser("load", help="ask as fast as possible, and say how long answers take")
    one.set_defaults(run=ask)
    database(one)
    one.add_argument(
        "--url", help="ask a service by HTTP, http://127.0.0.1:8080; else in this process"
    )
    one.add_argument(
        "--top", type=natural, default=3, metavar="K", help="bids wanted of a request, %(default)s"
    )
    measured(one, 5.0)
    every(one)
    seed(one)

    one = verbs.add_parser("demo", help="all of it on SQLite, in a few seconds")
    one.set_defaults(run=demo)
    how_many(one, 5_000)
    measured(one, 2.0)
    seed(one)
    return parser


def database(parser: argparse.ArgumentParser) -> None:
    """Where the campaigns are."""
    parser.add_argument(
        "database",
        nargs="?",
        default=DATABASE,
        metavar="DATABASE",
        help="where the campaigns are, %(default)s",
    )


def how_many(parser: argparse.ArgumentParser, default: int) -> None:
    """Campaigns to make."""
    parser.add_argument(
        "--campaigns",
        type=natural,
        default=default,
        metavar="N",
        help="campaigns to make up, %(default)s",
    )


def measured(parser: argparse.ArgumentParser, seconds: float) -> None:
    """How a load is made, and where its picture goes."""
    parser.add_argument(
        "--seconds", type=positive, default=seconds, metavar="S", help="for so long, %(default)s"
    )
    parser.add_argument(
        "--threads", type=natural, default=2, metavar="N", help="that ask at once, %(default)s"
    )
    parser.add_argument(
        "--picture", type=page_of, metavar="FILE", help="a page of HTML to draw the latencies in"
    )


def seed(parser: argparse.ArgumentParser) -> None:
    """What is made up is the same each time."""
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help="what is made up is the same for the same one, %(default)s",
    )


def every(parser: argparse.ArgumentParser) -> None:
    """How fresh campaigns are."""
    parser.add_argument(
        "--every",
        type=positive,
        default=0.5,
        metavar="SECONDS",
        help="between two looks for changes of the table, %(default)s",
    )


def natural(text: str) -> int:
    """A number of one or more."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def positive(text: str) -> float:
    """Seconds, more than none."""
    number = float(text)
    if not 0 < number < 1e6:
        raise ValueError
    return number


def port(text: str) -> int:
    """A port, 0 among them."""
    number = int(text)
    if not 0 <= number < 65_536:
        raise ValueError
    return number


def page_of(text: str) -> Path:
    """A file that can be written, as far as can be seen before it is."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a directory")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no directory {path.parent}")
    return path


def make(args: argparse.Namespace) -> None:
    """Put campaigns into a database."""
    with Store(args.database) as store:
        count = store.create(campaigns(args.seed, args.campaigns))
    print(f"{count:,} campaigns are in the table campaigns")


def answer(args: argparse.Namespace) -> None:
    """Answer over HTTP."""
    with Service(args.database, every=args.every) as service:
        serve(service, args.port)


def ask(args: argparse.Namespace) -> None:
    """Measure."""
    if args.url:
        done = load.run(
            functools.partial(load.over_http, args.url, args.top),
            args.seconds,
            args.threads,
            args.seed,
        )
        report(done, f"Answers of {args.url}", args.picture)
        return
    with Service(args.database, every=args.every) as service:
        done = measure(service, args)
        report(done, f"Answers of {len(service.matcher):,} campaigns", args.picture)


def measure(service: Service, args: argparse.Namespace, top: int = 3) -> load.Load:
    """Ask a service of this process."""
    one = functools.partial(load.in_process, service, getattr(args, "top", top))
    return load.run(one, args.seconds, args.threads, args.seed)


def report(done: load.Load, title: str, picture: Path | None) -> None:
    """The figures, and the picture if one is wanted."""
    print(*done.lines(), sep="\n")
    if picture:
        picture.write_text(page(done, title), "utf-8")
        print(f"{picture} is the picture")


def demo(args: argparse.Namespace) -> None:
    """Make campaigns, answer, change the table meanwhile, measure."""
    with tempfile.TemporaryDirectory(prefix="rowmill-targeting-") as folder:
        url = f"sqlite:///{folder}/campaigns.db"
        with Store(url) as store:
            print(f"{store.create(campaigns(args.seed, args.campaigns)):,} campaigns in SQLite")
            with Service(url, every=0.05) as service:
                few = list(itertools.islice(requests(args.seed), 100))
                some = max(few, key=service.matcher.count)
                print(f"a request: {some}")
                bids = service.answer(some)
                print(f"bids: {listed(bids)}")
                if bids:
                    change = "update campaigns set bid = $1 where id = $2"
                    store.db.execute(change, bids[0].bid + 10, bids[-1].id)
                    service.refresh()
                    print(f"bids, when the last pays more: {listed(service.answer(some))}")
                    store.db.execute("delete from campaigns where id = $1", bids[0].id)
                    service.refresh()
                    print(f"bids, when the first was deleted: {listed(service.answer(some))}")
                done = measure(service, args)
                report(done, f"Answers of {len(service.matcher):,} campaigns", args.picture)


def listed(bids: list[Bid]) -> str:
    """For people to read."""
    return " ".join(map(str, bids)) or "none"


if __name__ == "__main__":
    sys.exit(main())
