"""The counts and times that Prometheus reads. Their labels are our own words, and nothing of a call."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector  # type: ignore[no-untyped-call,unused-ignore]

if TYPE_CHECKING:
    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counters of one service; a process has one set."""

    def __init__(self) -> None:
        self.registry = of = CollectorRegistry()
        self.requests = Counter(
            "precaution_requests", "Calls answered, by route and status.", ["route", "status"], registry=of
        )
        self.seconds = Histogram(
            "precaution_request_seconds", "How long a call took.", ["route"], buckets=_BUCKETS, registry=of
        )
        self.cards = Counter("precaution_cards", "Cards given, by hook and tier.", ["hook", "tier"], registry=of)
        self.decisions = Counter(
            "precaution_decisions", "Decisions, by hook and action.", ["hook", "action"], registry=of
        )
        self.rules = Counter(
            "precaution_rule", "How often a rule held, or could not be told.", ["rule", "state"], registry=of
        )
        self.incomplete = Counter("precaution_incomplete", "Incomplete assessments, by why.", ["why"], registry=of)
        self.refused = Counter("precaution_tokens_refused", "Tokens refused, by why.", ["why"], registry=of)
        self.fetched = Counter("precaution_fetched", "Requests to FHIR servers.", registry=of)
        self.store_failures = Counter("precaution_store_failures", "Calls of the store that failed.", registry=of)
        self.working = Gauge("precaution_working", "Calls being worked on.", multiprocess_mode="livesum", registry=of)
        self.ready = Gauge(
            "precaution_ready", "Whether the service is ready: 1, or 0.", multiprocess_mode="livemin", registry=of
        )

    def show_rules(self, label: Label) -> None:
        """Show every rule from the start: one that never holds is as telling as one that always does."""
        for rule in label.rules:
            for state in ("holds", "unknown"):
                self.rules.labels(rule, state)

    def decided(self, hook: str, decision: Decision) -> None:
        """Count a decision and the rules in it."""
        self.decisions.labels(hook, decision.action).inc()
        for finding in decision.findings:
            if finding.state != "no":
                self.rules.labels(finding.rule, finding.state).inc()

    def text(self) -> bytes:
        """Return all of it as Prometheus reads it: of all processes, where they share a folder."""
        if not os.environ.get(_DIRECTORY):
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call,unused-ignore]
        return generate_latest(registry)
