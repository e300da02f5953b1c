"""fal's errors → ours: every row of its two tables."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fake_fal.schemas import MODEL_STATUS, model_error, platform_error
from tests.fake_fal.server import LOCKED_403
from vton_ui.backends.fal.errors import is_final_error, translate
from vton_ui.errors import Cost, FalError, Filtered, JobCancelled, JobFailed, KeyRefused

MODEL_TYPES = [
    "content_policy_violation",
    "no_media_generated",
    "image_load_error",
    "file_download_error",
    "face_detection_error",
    "feature_not_supported",
    "image_too_small",
    "image_too_large",
    "file_too_large",
    "greater_than",
    "greater_than_equal",
    "less_than",
    "less_than_equal",
    "multiple_of",
    "sequence_too_short",
    "sequence_too_long",
    "one_of",
    "unsupported_image_format",
    "missing",
    "int_type",
    "internal_server_error",
    "downstream_service_unavailable",
    "generation_timeout",
    "downstream_service_error",
]
PLATFORM_TYPES = [
    (504, "request_timeout"),
    (504, "startup_timeout"),
    (503, "runner_scheduling_failure"),
    (503, "runner_connection_timeout"),
    (503, "runner_disconnected"),
    (503, "runner_connection_refused"),
    (503, "runner_connection_error"),
    (502, "runner_incomplete_response"),
    (500, "runner_server_error"),
    (500, "internal_error"),
    (499, "client_disconnected"),
    (499, "client_cancelled"),
    (400, "bad_request"),
]


def good_words(error: FalError) -> bool:
    """Whether an error says what happened and what to do, in sentences, and none of fal's code words."""
    sentences = all(text[0].isupper() or text.startswith("fal") for text in (error.cause, error.cure))
    return sentences and error.cause.endswith(".") and error.cure.endswith(".") and "_" not in error.cure


@pytest.mark.parametrize("kind", MODEL_TYPES)
def test_model_errors(kind: str) -> None:
    """Each model error becomes one of ours; only fal's own faults are known to be free."""
    status, body = model_error(kind, "The model says why.", field="num_inference_steps")
    error = translate(status, body, request_id="abc-123")
    assert type(error) is (Filtered if kind == "content_policy_violation" else JobFailed)
    assert good_words(error)
    assert error.cost is (Cost.MAYBE if status < 500 else Cost.NOTHING)
    assert error.request_id == "abc-123"
    assert (status == 422) == (kind not in MODEL_STATUS)
    assert is_final_error(body, None)


@pytest.mark.parametrize(("status", "kind"), PLATFORM_TYPES, ids=lambda value: str(value))
@pytest.mark.parametrize("told_by", ["body", "header"])
def test_platform_errors(status: int, kind: str, told_by: str) -> None:
    """Each error of fal's platform becomes one of ours, whether its body or its header names it."""
    _, body = platform_error(status, kind, "Something happened")
    header = None
    if told_by == "header":
        body, header = {"detail": body["detail"]}, kind
    error = translate(status, body, header_type=header, request_id="abc-123")
    assert type(error) is (JobCancelled if kind == "client_cancelled" else JobFailed)
    assert good_words(error)
    assert str(status) not in error.cause
    assert error.cost is (Cost.MAYBE if status == 499 else Cost.NOTHING)
    assert error.request_id == "abc-123"
    assert is_final_error(body, header)


def test_causes_are_their_own() -> None:
    """Different errors have different causes."""
    causes = {translate(*model_error(kind, "Why.")).cause for kind in MODEL_TYPES if kind not in ("one_of", "missing")}
    assert len(causes) >= 15


@pytest.mark.parametrize(
    ("field", "slot"),
    [
        ("human_image_url", "Person"),
        ("garment_image_url", "Garment"),
        ("person_image_url", "Person"),
        ("clothing_image_url", "Garment"),
        ("guidance_scale", None),
        (None, None),
    ],
)
def test_slot(field: str | None, slot: str | None) -> None:
    """An error about a picture names the slot on screen."""
    assert translate(*model_error("image_load_error", "No.", field=field)).slot == slot


@pytest.mark.parametrize(
    ("kind", "context", "said"),
    [
        ("image_too_small", {"min_width": 64, "min_height": 32}, "at least 64 × 32 pixels"),
        ("image_too_large", {"max_width": 1448, "max_height": 1400}, "at most 1448 × 1400 pixels"),
        ("file_too_large", {"max_size": 31_457_280}, "at most 31 MB"),
    ],
)
def test_limits_are_told(kind: str, context: dict[str, Any], said: str) -> None:
    """Where fal gives its limit, the message does too."""
    error = translate(*model_error(kind, "No.", context, field="human_image_url"))
    assert said in error.cause
    assert good_words(error)


def test_refused_setting_is_told_in_fals_words() -> None:
    """An error about a range names the field, with fal's message, shortened."""
    message = "Input should be less than or equal to 50."
    error = translate(*model_error("less_than_equal", message, {"le": 50}, field="num_inference_steps"))
    assert error.cause == "fal refused num_inference_steps: Input should be less than or equal to 50."
    assert len(translate(*model_error("one_of", "x" * 9000)).cause) < 300


@pytest.mark.parametrize(
    ("status", "body", "kind", "word"),
    [
        (401, {"detail": "Authentication is required to access this application."}, KeyRefused, "key"),
        (403, LOCKED_403, KeyRefused, "money"),
        (403, {"detail": "User is locked. Reason: Abuse."}, KeyRefused, "locked"),
        (403, {"detail": "Forbidden"}, KeyRefused, "not allowed"),
        (403, None, KeyRefused, "not allowed"),
        (404, {"detail": 'Application "fal-ai/gone" not found'}, JobFailed, "model"),
        (429, {"detail": "Too many requests"}, FalError, "no more requests"),
        (422, {"detail": "Validation went wrong."}, JobFailed, "422): Validation went wrong."),
        (418, {"detail": []}, JobFailed, "418"),
        (500, {"detail": "Boom", "error_type": "internal_server_error"}, JobFailed, "failed inside fal"),
        (500, None, JobFailed, "500"),
        (502, None, JobFailed, "502"),
        (400, {"detail": {"odd": 1}, "error_type": ["odd"]}, JobFailed, "400"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_by_status(status: int, body: Any, kind: type[FalError], word: str) -> None:
    """An error without a type of fal's is translated by its status, whatever its body."""
    error = translate(status, body)
    assert type(error) is kind
    assert word in error.cause
    assert good_words(error)
    assert error.cost is (Cost.MAYBE if status == 422 else Cost.NOTHING)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 499, 500])
def test_request_id(status: int) -> None:
    """Every error about a job has its request id."""
    assert translate(status, {"detail": "No."}, request_id="abc-123").request_id == "abc-123"


def test_lost_request_may_have_cost() -> None:
    """A request that fal no longer knows was perhaps paid for; a model that it never knew was not."""
    assert translate(404, {"detail": "Request not found"}, request_id="abc-123").cost is Cost.MAYBE
    assert translate(404, {"detail": "Application not found"}).cost is Cost.NOTHING


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 418, 422, 429])
def test_refusal_after_acceptance_may_have_cost(status: int) -> None:
    """A refused request about a job says nothing about its cost; only a 5xx is known to be free."""
    assert translate(status, None, request_id="abc-123").cost is Cost.MAYBE
    assert translate(500, None, request_id="abc-123").cost is Cost.NOTHING


@pytest.mark.parametrize(
    ("body", "header"),
    [(None, None), ({"detail": "fault 503"}, None), ({"detail": "odd", "error_type": "unheard_of"}, None), ({}, "odd")],
    ids=str,
)
def test_passing_faults(body: Any, header: str | None) -> None:
    """An error page, or a type outside fal's tables, is not fal's final answer on a job."""
    assert not is_final_error(body, header)


def test_final_by_header() -> None:
    """fal's header makes an answer final, even if the body is no JSON."""
    assert is_final_error(None, "runner_server_error")
