"""All metrics of the service, by name; `GET /metrics` shows them in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
disable_created_metrics()  # type: ignore[no-untyped-call]
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counts of one service. Counters are safe to use from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls = Counter(
            "zvonar_calls", "Calls that are over, by disposition", ["disposition"], registry=self.registry
        )
        self.start_delay = Histogram(
            "zvonar_call_start_delay_seconds", "From when a call was due to its INVITE", buckets=_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.recordings = Counter(
            "zvonar_recordings", "Calls that were to be recorded, by what came of it: saved, incomplete, failed",
            ["state"], registry=self.registry,
        )  # fmt: skip
        self.requests = Histogram(
            "zvonar_http_request_seconds", "Requests, by method of the contract and HTTP status", ["method", "status"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.webhook_tries = Counter(
            "zvonar_webhook_tries", "Tries to deliver a webhook, by what came of them", ["result"],
            registry=self.registry,
        )  # fmt: skip
        self._open = Gauge(
            "zvonar_open", "What is open: dialogs, ports, tasks, timers, calls", ["kind"], registry=self.registry
        )
        self._in_progress = Gauge("zvonar_calls_in_progress", "Calls that go on", registry=self.registry)
        self._waiting = Gauge(
            "zvonar_calls_waiting", "Calls in the queue, by what they wait for: turn, plan, window, redial",
            ["reason"], registry=self.registry,
        )  # fmt: skip
        self._webhooks = Gauge("zvonar_webhooks_waiting", "Webhooks not delivered yet", registry=self.registry)
        self._recordings = Gauge(
            "zvonar_recordings_bytes", "Disk that the kept recordings of calls take", registry=self.registry
        )
        self._busy = Gauge(
            "zvonar_media_busy_ratio", "Share of its time that the media process works", registry=self.registry
        )

    def show(
        self, census: Mapping[str, int], waits: Mapping[str, int], webhooks: int, busy: float, recordings_bytes: int
    ) -> bytes:
        """The page, with what is counted just now."""
        for kind, count in census.items():
            self._open.labels(kind).set(count)
        self._in_progress.set(census.get("calls", 0))
        for reason in ("turn", "plan", "window", "redial"):
            self._waiting.labels(reason).set(waits.get(reason, 0))
        self._webhooks.set(webhooks)
        self._busy.set(busy)
        self._recordings.set(recordings_bytes)
        return generate_latest(self.registry)
