"""Production-like serving: uvicorn workers behind one port, kept running, and let go of students gently.

The launcher holds the listening socket and one line to each worker. A worker says on it that it serves; when
the line falls silent, at the end or because the launcher died, the worker lets its students go and ends.
"""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

import uvicorn
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.log import configure_logging

from streaming.wire import MAX_FRAME

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tutor.settings")

logger = logging.getLogger("tutor.serve")

GRACE_SECONDS = 1  # for HTTP answers under way, when the students have gone
KILL_SECONDS = 9.5  # a worker ends itself after nine
AGAIN_SECONDS = 1.0  # before a worker that could not start is tried again


# --- A worker --------------------------------------------------------------------------------------


class Worker(uvicorn.Server):
    """A uvicorn server that says when it serves."""

    def __init__(self, config: uvicorn.Config, line: socket.socket) -> None:
        super().__init__(config)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        with suppress(BrokenPipeError):  # without a launcher there is an end on its way already
            self._line.send(b"1")


def work(listening: socket.socket, line: socket.socket) -> None:
    """Serve until signalled, or until the launcher lets go of the line."""

    def listen_to_launcher() -> None:
        line.recv(1)
        os.kill(os.getpid(), signal.SIGTERM)

    # uvicorn raises a signal again after it has ended because of it: that is no failure here.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    threading.Thread(target=listen_to_launcher, daemon=True).start()
    config = uvicorn.Config(
        "tutor.asgi:application",
        loop="asyncio",  # whatever else is installed: what was measured is what runs
        ws="websockets-sansio",
        ws_per_message_deflate=False,  # of small messages it saves nothing, and costs 50 KiB a connection
        ws_max_size=MAX_FRAME,
        lifespan="on",
        log_config=None,  # Django's
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    Worker(config, line).run([listening])


# --- The launcher ----------------------------------------------------------------------------------


class Launcher:
    """Keeps a number of workers running on one listening socket."""

    def __init__(self, listening: socket.socket, workers: int) -> None:
        self._listening = listening
        self._count = workers
        self._stopping = asyncio.Event()
        self._lines: set[socket.socket] = set()
        self._processes: set[asyncio.subprocess.Process] = set()
        self._code = 0

    async def run(self) -> int:
        """Serve until signalled; return the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled)
        keepers = [asyncio.create_task(self._keep()) for _ in range(self._count)]
        await self._stopping.wait()
        for line in self._lines:
            line.shutdown(socket.SHUT_WR)
        _, late = await asyncio.wait(keepers, timeout=KILL_SECONDS)
        if late:
            logger.error("killed workers=%d", len(self._processes))
            self._kill()
            await asyncio.wait(late)
        return self._code

    def _signalled(self) -> None:
        if self._stopping.is_set():
            self._kill()
        self._stopping.set()

    def _kill(self) -> None:
        self._code = 1
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.kill()

    async def _keep(self) -> None:
        """Run a worker, and another one when it ends."""
        served_before = False
        while not self._stopping.is_set():
            served = await self._run_one()
            if self._stopping.is_set():
                return
            if not served and not served_before:
                self._code = 1
                self._stopping.set()
            elif not served:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), AGAIN_SECONDS)
            served_before |= served

    async def _run_one(self) -> bool:
        """Run one worker to its end; return whether it ever served."""
        loop = asyncio.get_running_loop()
        line, workers_end = socket.socketpair()
        line.setblocking(False)
        with line, workers_end:
            handed = (self._listening.fileno(), workers_end.fileno())
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tutor.serve", "--worker", *map(str, handed)),
                    pass_fds=handed,
                    start_new_session=True,  # a Ctrl-C is for the launcher to hear
                )
            except OSError as error:
                logger.error("worker_not_started error=%s", error.strerror)
                return False
            workers_end.close()
            self._lines.add(line)
            self._processes.add(process)
            try:
                if self._stopping.is_set():
                    line.shutdown(socket.SHUT_WR)
                served = await loop.sock_recv(line, 1) == b"1"
                if served:
                    logger.info("worker_serves pid=%d", process.pid)
                code = await process.wait()
                if code or not served:
                    logger.error("worker_ended pid=%d code=%d", process.pid, code)
                return served
            finally:
                self._lines.discard(line)
                self._processes.discard(process)


def prepared(host: str, port: int, workers: int) -> socket.socket:
    """Return the listening socket; exit with the reason where serving could not work."""
    try:
        redis_url, debug, static = settings.REDIS_URL, settings.DEBUG, settings.STATIC_ROOT
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    if workers > 1 and not redis_url:
        sys.exit(
            f"{workers} workers need REDIS_URL: without it each would know only its own sessions.\n"
            "Set it, or serve with one worker."
        )
    if not debug and not static.is_dir():
        sys.exit("Static files have not been collected: run manage.py collectstatic first.")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        sys.exit(f"Port {port} of {host} cannot be had: {error.strerror}.")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tutor.serve",
        description="Serve Tutor by uvicorn workers behind one port. SIGTERM or Ctrl-C: students are told, "
        "their places kept, and all has ended within ten seconds; a second one ends it at once.",
        epilog="More than one worker needs REDIS_URL. Students then connect by WebSocket; long polling needs "
        "a proxy that keeps each Engine.IO session (`sid`) at one process.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on")
    workers = os.environ.get("WORKERS") or "1"
    parser.add_argument("--workers", type=int, default=workers, help="number of processes, or WORKERS")
    parser.add_argument("--worker", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        listening, line = (socket.socket(fileno=number) for number in options.worker)
        work(listening, line)
        return 0
    if options.workers < 1:
        parser.error("at least one worker")
    listening = prepared(options.host, options.port, options.workers)
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    host, port = listening.getsockname()[:2]
    polling = "needs a proxy that is sticky by sid" if options.workers > 1 else "works too"
    logger.info("serving on http://%s:%d by WebSocket; long polling %s", host, port, polling)
    return asyncio.run(Launcher(listening, options.workers).run())


if __name__ == "__main__":
    sys.exit(main())
