"""The table that is paged through, as Rowmill's."""

from __future__ import annotations

from datetime import datetime

import rowmill as rm


class Message(rm.Table, name="messages"):
    id: rm.Col[int] = rm.pk()
    channel_id: rm.Col[int]
    at: rm.Col[datetime] = rm.column(naive=True)
    score: rm.Col[int | None]
    body: rm.Col[str]
