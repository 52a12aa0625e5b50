"""Other processes as the kernel shows them."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ESTABLISHED = "01"  # as /proc/net/tcp says it


def children(pid: int) -> set[int]:
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


@contextmanager
def frozen(*parents: int) -> Iterator[None]:
    """Let processes hang with their children: what they have open stays open, and nothing answers."""
    stopped: list[int] = []
    try:
        for parent in parents:
            os.kill(parent, signal.SIGSTOP)  # first, so that it has no more children
            stopped.append(parent)
            for child in children(parent):
                os.kill(child, signal.SIGSTOP)
                stopped.append(child)
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def serving(parent: int, port: int) -> set[int]:
    """Return those children of a process that hold a connection at this port."""
    ends = [line.split() for line in Path(f"/proc/{parent}/net/tcp").read_text().splitlines()[1:]]
    held = {f"socket:[{end[9]}]" for end in ends if (int(end[1][-4:], 16), end[3]) == (port, ESTABLISHED)}

    def holds(pid: int) -> bool:
        with suppress(FileNotFoundError):  # it has just been closed
            return any(str(entry.readlink()) in held for entry in Path(f"/proc/{pid}/fd").iterdir())
        return holds(pid)

    return {pid for pid in children(parent) if holds(pid)}
