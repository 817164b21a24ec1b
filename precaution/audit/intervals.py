"""Shares and rates with their 95 % intervals."""

from __future__ import annotations

from typing import NamedTuple

from precaution.errors import UsageError

try:
    from scipy.stats import binomtest, chi2  # type: ignore[import-untyped]
except ImportError:  # pragma: no cover - tested where it is not installed
    raise UsageError("audits need scipy: install it with `pip install '.[audit]'` in its folder") from None

LEVEL = 0.95


class Estimate(NamedTuple):
    """A share (0 to 1) or a rate, with its interval."""

    value: float
    low: float
    high: float


def share(yes: int, of: int) -> Estimate | None:
    """Return the share `yes` out of `of` with Wilson's interval; None where nobody is counted."""
    if of < 1:
        return None
    interval = binomtest(yes, of).proportion_ci(LEVEL, method="wilson")
    return Estimate(yes / of, float(interval.low), float(interval.high))


def rate(events: int, years: float, per: float = 100.0) -> Estimate | None:
    """Return how many events there are in `per` years of the `years` at risk; None without any time at risk.

    The interval is the exact one of a Poisson count.
    """
    if years <= 0:
        return None
    tail = (1 - LEVEL) / 2
    low = float(chi2.ppf(tail, 2 * events)) / 2 if events else 0.0
    high = float(chi2.ppf(1 - tail, 2 * events + 2)) / 2
    return Estimate(events * per / years, low * per / years, high * per / years)
