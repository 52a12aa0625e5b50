"""An answer about as long as answers may be, for connections that are to have something on the way."""

import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.server import ROOT, Server

QUESTION, STEPS = "What is so long?", 30
ASK = {"question": QUESTION, "context": {"language": "en"}, "speed": 8}
RATE = 8000  # its characters a second, at the pace of production
PACE = {"CHUNK_SIZE": 50, "CHUNK_DELAY": 0.05}


def tell_long_answer(servers: Sequence[Server], folder: Path) -> None:
    """Let servers know the answer."""
    steps = [
        {"title": f"Step {number}", "type": "text", "content": f"Part {number} of the tale goes on. " * 290}
        for number in range(1, STEPS + 1)
    ]
    file = folder / "answers.jsonl"
    line = {"question_text": QUESTION, "language": "en", "answer_steps": steps, "total_duration": 60}
    file.write_text(json.dumps(line))
    for server in servers:
        subprocess.run(
            [sys.executable, "manage.py", "import_answers", str(file)],
            cwd=ROOT,
            env=server.environment,
            capture_output=True,
            check=True,
        )


def narrow_wire(server: Server) -> socket.socket:
    """Return a connected socket for which the kernel takes little that is not read."""
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.connect(("127.0.0.1", server.port))
    wire.setblocking(False)
    return wire
