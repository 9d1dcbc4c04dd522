"""`zvonar serve`: the service, until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import structlog
import uvicorn

from api.app import make_app
from api.page import render
from api.service import Service
from engine import config as configuration
from engine.config import Config, ConfigError
from zvonar import log

REQUESTS_END_WITHIN_S = 2
# The engine's thread must not wait long for its turn while this one works on a large request.
SWITCH_INTERVAL_S = 0.001
# Objects more than were let go, by generation. A reply of 5000 elements has 100,000 that all stay until it is sent; at
# Python's own 700 the collector looks through them again and again, each time with everybody waiting.
COLLECTED_AFTER = (50_000, 10, 10)
_BACKLOG = 2048


class _Server(uvicorn.Server):
    """Signals are ours: what ends first is the calls, not the sockets."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(config: Path | None) -> None:
    """Run until SIGINT or SIGTERM; calls that go on may end then (`[api] drain_s`), a second signal hangs them up.

    Raises ConfigError.
    """
    chosen = configuration.load(config)
    log.configure()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with contextlib.closing(_listen(chosen)) as listener:
        asyncio.run(_serve(chosen, listener))


def _listen(config: Config) -> socket.socket:
    """The socket for HTTP, taken before anything else is started. Raises ConfigError."""
    host, port = configuration.parse_address(config.api.listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, or asyncio does not know it for TCP and leaves Nagle's algorithm on: replies would wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"api.listen: {config.api.listen} cannot be used ({error.strerror}); end what uses it, or choose another, "
            'for example\n[api]\nlisten = "127.0.0.1:8081"'.replace("\n", " ")
        ) from error
    return listener


async def _serve(config: Config, listener: socket.socket) -> None:
    service = Service(config)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: service.hurry() if ended.is_set() else ended.set())
    try:
        await service.start()
        if ended.is_set():
            return
        render.warm()
        # What is there by now stays. Looked through again and again by the collector it would hold up calls for 70 ms.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTED_AFTER)
        server = _Server(
            uvicorn.Config(
                make_app(service), access_log=False, log_config=None, lifespan="off", server_header=False,
                timeout_graceful_shutdown=REQUESTS_END_WITHIN_S,
            )
        )  # fmt: skip
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        _say(config, listener, service)
        ending = asyncio.create_task(ended.wait())
        await asyncio.wait([serving, ending], return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        print(f"Ending: calls that go on have {config.api.drain_s:g} s; the same again hangs them up ...", flush=True)
        await service.quiesce()
        server.should_exit = True
        await serving
    finally:
        await service.stop()
    structlog.get_logger("zvonar").info("ended")


def _say(config: Config, listener: socket.socket, service: Service) -> None:
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    where = "the sandbox" if config.sandboxed else ", ".join(trunk.name for trunk in config.trunk)
    page = (config.api.public_url or url).rstrip("/")
    print(f"Zvonar listens at {url}; calls go to {where}. Ctrl-C ends it.")
    if service.has_accounts():
        print(f"The page: {page} (a link to sign in by: zvonar account link NAME)")
    else:
        print("There is no account yet; make one in another terminal, it prints a link to the page, and your KEY:")
        print("  zvonar account add me --balance 100 --moderated")
    outgoing = next((number for trunk in service.trunks for number in trunk.numbers), "NUMBER")
    print("Over HTTP, for example:")
    print(f"  curl -F apiKey=KEY -F file=@clip.wav {url}/apiCalls/createRecord")
    request = f'{{"apiKey": "KEY", "phone": "79990000001", "outgoingPhone": "{outgoing}", "record": {{"id": 1}}}}'
    print(f"  curl -d '{request}' {url}/apiCalls/create")
    print(f'  curl -d \'{{"apiKey": "KEY", "apiCallIdList": [1]}}\' {url}/apiCalls/get', flush=True)
