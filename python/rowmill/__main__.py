"""`python -m rowmill`: the command line."""

from rowmill._cli import main

if __name__ == "__main__":
    raise SystemExit(main())
