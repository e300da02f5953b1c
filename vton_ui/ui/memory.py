"""What a browser keeps of its try-ons: the jobs under way and the results, signed, so that a forged one is refused.

It is kept in gr.BrowserState, which ships its own secret to everybody: the signature is what counts, and nothing in
it is a secret, least of all a key.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from vton_ui.models.spec import Size
from vton_ui.tryon.job import LOST_SECONDS, Job
from vton_ui.tryon.results import Result

MAX_JOBS = 10
MAX_RESULTS = 24

State = Mapping[str, Any]
"""{"jobs": [signed, …], "results": [signed, …]}, newest first; anything else counts as empty."""

EMPTY: State = {"jobs": [], "results": []}


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Reads and writes a browser's state; every method is pure but for the clock and the look whether a file exists.

    Attributes:
        secret: What signs it.
        store: The folder of results, which they are named relative to.
        browser: Whose it is; what one browser was given means nothing when another sends it.
    """

    secret: bytes
    store: Path
    browser: str = ""

    def of(self, browser: str) -> Memory:
        """The same for one browser."""
        return replace(self, browser=browser)

    def jobs(self, state: Any) -> list[Job]:
        """The jobs under way, newest first."""
        found = []
        for data in self._opened(state, "jobs"):
            try:
                job = Job.from_dict(data)
            except (KeyError, TypeError):
                continue
            if job.request_id or time.time() - job.ordered_at < LOST_SECONDS:
                found.append(job)
        return found

    def results(self, state: Any) -> list[tuple[Result, Job]]:
        """The results that are still kept, newest first, each with its job."""
        found = []
        for data in self._opened(state, "results"):
            try:
                path, facts, job = self.store / data["path"], data["facts"], Job.from_dict(data["job"])
                if path.is_file():
                    found.append((Result(path=path, size=Size(*data["size"]), facts=facts), job))
            except (KeyError, TypeError, OSError):
                continue
        return found

    def with_job(self, state: Any, job: Job) -> State:
        """The state with the job in it, in place of what was known of the same order."""
        others = [other for other in self.jobs(state) if other.id != job.id]
        return self._written([job, *others], self.results(state))

    def without_job(self, state: Any, job: Job) -> State:
        """The state without the job."""
        return self._written([other for other in self.jobs(state) if other.id != job.id], self.results(state))

    def with_result(self, state: Any, result: Result, job: Job) -> State:
        """The state with the result, and without the job that became it."""
        others = [pair for pair in self.results(state) if pair[1].request_id != job.request_id]
        jobs = [other for other in self.jobs(state) if other.id != job.id]
        return self._written(jobs, [(result, job), *others])

    def job_of(self, state: Any, request_id: str) -> Job | None:
        """What is known of a request of this browser's."""
        known = [*self.jobs(state), *(job for _, job in self.results(state))]
        return next((job for job in known if job.request_id == request_id), None)

    def _opened(self, state: Any, kind: str) -> list[Any]:
        tokens = state.get(kind) if isinstance(state, Mapping) else None
        opened = []
        for token in tokens[:100] if isinstance(tokens, list) else ():
            try:
                opened.append(self._signer(kind).loads(token))
            except (BadData, TypeError):
                continue
        return opened

    def _written(self, jobs: list[Job], results: list[tuple[Result, Job]]) -> State:
        kept = [
            {
                "path": str(result.path.relative_to(self.store)),
                "size": list(result.size),
                "facts": dict(result.facts),
                "job": job.to_dict(),
            }
            for result, job in results[:MAX_RESULTS]
        ]
        sign_job, sign_result = self._signer("jobs"), self._signer("results")
        return {
            "jobs": [str(sign_job.dumps(job.to_dict())) for job in jobs[:MAX_JOBS]],
            "results": [str(sign_result.dumps(data)) for data in kept],
        }

    def _signer(self, kind: str) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret, salt=f"{kind} of {self.browser}")
