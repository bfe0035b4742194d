"""What a server keeps of a password, made here so that the rounds can be few."""

from __future__ import annotations

import base64
import hashlib
import hmac


def verifier(password: str, rounds: int = 1) -> str:
    """What `alter role ... password` takes as it is. A login costs milliseconds at 4096 rounds."""
    salt = b"sixteen bytes ok"
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(b).decode() for b in (salt, stored, server))
    return f"SCRAM-SHA-256${rounds}:{salt64}${stored64}:{server64}"
