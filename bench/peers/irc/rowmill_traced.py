"""Rowmill's query objects, traced once by `@rm.query`: a call binds its parameters and sends."""

from __future__ import annotations

import rowmill as rm
from bench.peers.irc import rowmill

TRACED = {kind: rm.query(query) for kind, query in rowmill.QUERIES.items()}


class Arm(rowmill.Arm):
    """The same statements."""

    queries = TRACED
