"""What a message must not say."""

from __future__ import annotations

import os
from urllib.parse import parse_qs, unquote, urlsplit


def without_passwords(message: str, *urls: str | None) -> str:
    """The message with every password that could have reached it replaced."""
    secrets = set().union(*map(passwords, urls or (None,)))
    for secret in sorted(secrets, key=len, reverse=True):
        for before, after in ((":", "@"), ("password=", "")):
            message = message.replace(f"{before}{secret}{after}", f"{before}***{after}")
        # A very short one is left where it stands alone: it is part of too many words to replace.
        if len(secret) > 3:
            message = message.replace(secret, "***")
    return message


def passwords(url: str | None) -> set[str]:
    """The passwords of this call, as written and as meant."""
    found = {os.environ.get("PGPASSWORD", "")}
    for source in (url, os.environ.get("DATABASE_URL")):
        try:
            parts = urlsplit(source or "")
            written = [parts.password or "", *parse_qs(parts.query).get("password", ())]
        except ValueError:
            written = []
        # Where a password is not escaped as it must be, the parts above end too early.
        written.append((source or "").partition("://")[2].rpartition("@")[0].partition(":")[2])
        found.update(written)
        found.update(map(unquote, written))
    return found - {""}
