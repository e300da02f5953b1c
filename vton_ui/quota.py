"""The limits of each visitor: free work, which costs this machine time, and uploads, which fill its disk."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

from vton_ui.errors import RateLimited

MB = 1_000_000


class FreeWork:
    """Free pieces of work in any minute, for each visitor: drafts, sheets, estimates, conversions."""

    def __init__(self, a_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(a_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allows(self, visitor: str) -> bool:
        """Count one piece of work; False if the limit is reached."""
        return bool(self._limiter.hit(self._limit, visitor))

    def count(self, visitor: str, pieces: int = 1) -> None:
        """Count pieces of work, all or none. RateLimited if they exceed the limit."""
        if self._limiter.hit(self._limit, visitor, cost=pieces):
            return
        if pieces > self._limit.amount:
            cause = f"Each visitor gets {self._limit.amount} free tries a minute here, and this needs more."
            raise RateLimited(cause, "Ask for fewer at once.")
        resets = self._limiter.get_window_stats(self._limit, visitor).reset_time
        seconds = max(1, math.ceil(resets - time.time()))
        raise RateLimited(
            f"Each visitor gets {self._limit.amount} free tries a minute here, and these are done.",
            f"Wait {seconds} {'second' if seconds == 1 else 'seconds'}.",
        )


class UploadQuota:
    """Uploaded bytes an hour, for each visitor. The count of the hour before fades while this hour passes."""

    def __init__(self, megabytes: int) -> None:
        self._limit = RateLimitItemPerHour(megabytes * MB)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def check(self, visitor: str, size: int) -> None:
        """RateLimited if so many more bytes would exceed the limit."""
        if self._limiter.get_window_stats(self._limit, visitor).remaining < size:
            raise self._refusal()

    def count(self, visitor: str, size: int) -> None:
        """Count bytes that have arrived. RateLimited if they exceed the limit."""
        if size and not self._limiter.hit(self._limit, visitor, cost=size):
            raise self._refusal()

    def _refusal(self) -> RateLimited:
        return RateLimited(
            f"Each visitor may upload {self._limit.amount // MB} MB an hour, and this is more.",
            "Upload smaller photos, or wait until the hour is over.",
        )
