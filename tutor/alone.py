"""One server a database, as long as sessions and drafts are kept in a process's own memory."""

import fcntl
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_held: list[int] = []  # open for the life of the process: closing lets go


def stand_alone(database: Mapping[str, Any]) -> None:
    """Hold the lock of a database until the process ends; if another holds it, exit with the reason."""
    path = lock_path(database)
    try:
        # Without creating it where it is: another user's file may be locked, but not opened to be made.
        lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        lock = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(
            "Another server runs on this database, and without REDIS_URL each would know only its own\n"
            "sessions. End that one, or set REDIS_URL for both."
        )
    _held.append(lock)


def lock_path(database: Mapping[str, Any]) -> Path:
    """Return the file that stands for a database; a test database is another one."""
    identity = [str(database.get(part) or "") for part in ("ENGINE", "HOST", "PORT", "NAME")]
    identity.append(str(database.get("TEST", {}).get("NAME") or ""))
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()
    return Path(tempfile.gettempdir()) / f"tutor-{digest[:32]}.lock"
