"""Counters for Prometheus. Label sets are bounded: outcomes, kinds, reasons and channels, never addresses or titles."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.model import Delivery, GivenUp, Outcome, RetryAt
from bot.pipeline import Decision, Polled


class Metrics:
    """One registry an app; nothing global, so that two apps in one process (tests) do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._polls = Counter("tocsin_polls", "Feeds asked, by outcome", ["outcome"], registry=self.registry)
        self._items = Counter("tocsin_items", "New items stored", registry=self.registry)
        self._verdicts = Counter(
            "tocsin_verdicts", "Verdicts, by kind and reason", ["kind", "reason"], registry=self.registry
        )
        self._deliveries = Counter(
            "tocsin_deliveries", "Messages, by channel and outcome", ["channel", "outcome"], registry=self.registry
        )
        self._latency = Histogram(
            "tocsin_delivery_seconds", "From the decision to the receipt", registry=self.registry,
            buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600),
        )  # fmt: skip
        self.queued = Gauge("tocsin_queued", "Messages waiting, by channel", ["channel"], registry=self.registry)
        self.feeds = Gauge("tocsin_feeds", "Feeds watched", registry=self.registry)
        self._late = Counter(
            "tocsin_late_polls", "Polls done more than an interval after their time", registry=self.registry
        )
        self.lag = Gauge("tocsin_loop_lag_seconds", "How late the event loop last woke", registry=self.registry)

    def polled(self, batch: list[Polled], decision: Decision) -> None:
        """Count one decision."""
        for polled in batch:
            self._polls.labels(polled.problem or polled.result).inc()
        self._items.inc(sum(len(items) for items in decision.new.values()))
        for verdict in decision.batch.verdicts:
            self._verdicts.labels(verdict.kind.value, verdict.reason.value).inc()

    def done(self, late_s: float, interval_s: float) -> None:
        """A poll was done ``late_s`` seconds after the feed's time."""
        if late_s > interval_s:
            self._late.inc()

    def settled(self, delivery: Delivery, outcome: Outcome) -> None:
        """Count one outcome."""
        if isinstance(outcome, RetryAt):
            self._deliveries.labels(delivery.channel, "retry").inc()
        elif isinstance(outcome, GivenUp):
            self._deliveries.labels(delivery.channel, "dead").inc()
        else:
            self._deliveries.labels(delivery.channel, "sent").inc()
            self._latency.observe((outcome.receipt.at - delivery.created_at).total_seconds())

    def page(self) -> bytes:
        """The text format."""
        return generate_latest(self.registry)
