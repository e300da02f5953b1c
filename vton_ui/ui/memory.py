"""What a browser keeps of its try-ons: jobs under way and results, signed, so that a forged one is refused.

It is kept in gr.BrowserState, whose own secret is sent to every browser. So only the signature protects it, nothing in
it is confidential, and it never holds a key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from vton_ui.models.spec import Size
from vton_ui.tryon.job import Job
from vton_ui.tryon.results import Result

MAX_JOBS = 24
MAX_RESULTS = 24

State = str
"""{"jobs": […], "results": […]}, newest first, as one signed text; anything else counts as empty.

One text, because from one step to the next Gradio sends what changed inside a value, and its page changes the old value
in place: a step that a slow phone had not drawn yet was lost, with the job in it. A text is replaced as a whole."""

NO_MEMORY: State = "empty"
"""Not "", which gr.BrowserState does not write."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Reads and writes a browser's state. Methods are pure, but for the clock and the check whether a file exists.

    Attributes:
        secret: The server's, for the signature.
        store: The folder of results, to which their paths are relative.
        browser: Whose state it is. What one browser keeps is worthless in another.
    """

    secret: bytes
    store: Path
    browser: str = ""

    def jobs(self, state: Any) -> list[Job]:
        """The jobs under way, newest first."""
        found = []
        for data in self._read(state, "jobs"):
            try:
                job = Job.from_dict(data)
            except (KeyError, TypeError):  # written by another version
                continue
            if job.can_be_found:
                found.append(job)
        return found

    def results(self, state: Any) -> list[tuple[Result, Job]]:
        """The results that are still kept, newest first, each with its job."""
        found = []
        for data in self._read(state, "results"):
            try:
                path, facts, job = self.store / data["path"], data["facts"], Job.from_dict(data["job"])
                if path.is_file():
                    found.append((Result(path=path, size=Size(*data["size"]), facts=facts), job))
            except (KeyError, TypeError, OSError):
                continue
        return found

    def with_job(self, state: Any, job: Job) -> State:
        """The state with the job in it, in place of what was known of the same job."""
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
        """The job of a request of this browser."""
        known = [*self.jobs(state), *(job for _, job in self.results(state))]
        return next((job for job in known if job.request_id == request_id), None)

    def _read(self, state: Any, kind: str) -> list[Any]:
        if not isinstance(state, str):
            return []  # older versions wrote a dict
        try:
            return list(self._signer.loads(state)[kind])
        except (BadData, KeyError, TypeError):
            return []

    def _written(self, jobs: list[Job], results: list[tuple[Result, Job]]) -> State:
        kept = [
            {
                "path": str(result.path.relative_to(self.store)),
                "size": list(result.size),
                "facts": dict(result.facts),
                "job": replace(job, source=None).to_dict(),
            }
            for result, job in results[:MAX_RESULTS]
        ]
        return str(self._signer.dumps({"jobs": [job.to_dict() for job in jobs[:MAX_JOBS]], "results": kept}))

    @property
    def _signer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret, salt=f"memory of {self.browser}")
