"""`zvonar sandbox`: the sandbox's subscribers alone."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import platformdirs

from engine import config as configuration
from engine.clips.cache import ClipCache
from engine.clock import SystemClock
from engine.media.plane import MediaPlane
from engine.sandbox.sandbox import Sandbox
from zvonar import log


def run(listen: str, config: Path | None) -> None:
    """Wait for calls until Ctrl-C. Raises ConfigError."""
    log.configure()
    try:
        host, _ = configuration.parse_address(listen)
    except ValueError as error:
        raise configuration.ConfigError(f"--listen: {error}") from error
    asyncio.run(_run(listen, host, configuration.load(config)))


async def _run(listen: str, host: str, config: configuration.Config) -> None:
    clock = SystemClock()
    plane = MediaPlane(config.media, host, clock)
    clips = ClipCache(config.store.clips or platformdirs.user_cache_path("zvonar") / "clips")
    sandbox = Sandbox(plane, clips, clock, bind=listen)
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    await plane.start()
    try:
        await sandbox.start()
        try:
            address, port = sandbox.address
            print(f"The sandbox's subscribers wait at sip:{address}:{port}; Ctrl-C ends it.", flush=True)
            print(
                f"A number's last three digits decide: call for example sip:79990000001@{address}:{port}",
                flush=True,
            )
            await over.wait()
        finally:
            await sandbox.stop()
    finally:
        await plane.stop()
