"""fal's errors → ours, each with a cause and a cure. Pure: status and body in, error out.

Types and shapes: https://docs.fal.ai/model-apis/errors
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vton_ui.errors import Cost, FalError, Filtered, JobCancelled, JobFailed, KeyRefused

SAME_AGAIN = "Try again; the photos are still here."
OTHER_PHOTO = "Use another photo."

MODEL_ERRORS: Mapping[str, tuple[str, str]] = {
    "content_policy_violation": ("fal's content policy refused these photos or words.", "Use other photos."),
    "no_media_generated": ("The model made no picture.", "Try again with another seed."),
    "image_load_error": ("fal could not open one of the pictures.", "Upload the photos again."),
    "file_download_error": ("fal could not fetch one of the pictures.", SAME_AGAIN),
    "face_detection_error": ("fal found no face in the photo.", "Use a photo that shows the face."),
    "feature_not_supported": ("The model cannot do this combination of settings.", "Go back to the defaults."),
    "image_too_small": ("A picture is too small for the model.", OTHER_PHOTO),
    "image_too_large": ("A picture is too large for the model.", OTHER_PHOTO),
    "file_too_large": ("A file is too large for the model.", OTHER_PHOTO),
    "unsupported_image_format": ("fal does not know the picture's format.", "Upload the photos again as JPEG."),
    "internal_server_error": ("The model failed inside fal.", SAME_AGAIN),
    "downstream_service_unavailable": ("A service behind the model is down.", "Try again in a few minutes."),
    "downstream_service_error": ("A service behind the model refused.", "Try again in a few minutes."),
    "generation_timeout": ("The model took too long and was stopped.", "Try again, with fewer steps."),
}
SETTING_REFUSED = ("fal refused a setting.", "Change it, or go back to the default.")
"""Everything else that a 422 may say: ranges, lengths, one_of, missing, …"""

PLATFORM_ERRORS: Mapping[str, tuple[str, str]] = {
    "request_timeout": ("fal had no machine free in time.", "Try again in a few minutes."),
    "startup_timeout": ("The model's machine did not start in time.", "Try again in a few minutes."),
    "runner_scheduling_failure": ("fal found no machine for the model.", "Try again in a few minutes."),
    "runner_connection_timeout": ("fal lost touch with the model's machine.", SAME_AGAIN),
    "runner_disconnected": ("fal lost touch with the model's machine.", SAME_AGAIN),
    "runner_connection_refused": ("fal could not reach the model's machine.", SAME_AGAIN),
    "runner_connection_error": ("fal could not reach the model's machine.", SAME_AGAIN),
    "runner_incomplete_response": ("The model's machine broke off its answer.", SAME_AGAIN),
    "runner_server_error": ("The model's machine failed.", SAME_AGAIN),
    "internal_error": ("Something failed inside fal.", SAME_AGAIN),
    "client_disconnected": ("fal saw the connection close.", SAME_AGAIN),
    "client_cancelled": ("The job was cancelled.", "Try again whenever you like."),
    "bad_request": ("fal could not understand the request.", "Go back to the default settings."),
}

SLOTS = {"human": "Person", "person": "Person", "garment": "Garment", "cloth": "Garment"}
"""Parts of fal's field names → the slot on screen."""


def translate(status: int, body: Any, *, header_type: str | None = None, request_id: str | None = None) -> FalError:
    """The error for an HTTP answer of fal's that is not a success.

    Args:
        status: The HTTP status.
        body: The decoded JSON, or None where it was no JSON.
        header_type: The header X-Fal-Error-Type, if any.
        request_id: The job it is about, if any.
    """
    detail = body.get("detail") if isinstance(body, Mapping) else None
    if isinstance(detail, list) and detail and isinstance(detail[0], Mapping):
        return _model_error(status, detail[0], request_id)
    kind = _type(body, header_type)
    if kind in MODEL_ERRORS:
        return _model_error(status, {"type": kind, "msg": detail}, request_id)
    if kind in PLATFORM_ERRORS:
        cause, cure = PLATFORM_ERRORS[kind]
        # Only fal's own faults are known to be free; it does not say what a job costs that was interrupted.
        cost = Cost.MAYBE if kind.startswith("client_") else Cost.NOTHING
        kind_of_error = JobCancelled if kind == "client_cancelled" else JobFailed
        return kind_of_error(cause, cure, cost=cost, request_id=request_id)
    return _by_status(status, detail if isinstance(detail, str) else "", request_id)


def is_final_error(body: Any, header_type: str | None) -> bool:
    """Whether a 5xx answer is fal's final answer on a job, not a passing fault of a gateway."""
    listed = isinstance(body, Mapping) and isinstance(body.get("detail"), list)
    return listed or _type(body, header_type) in {*PLATFORM_ERRORS, *MODEL_ERRORS}


def _type(body: Any, header_type: str | None) -> str:
    return str((isinstance(body, Mapping) and body.get("error_type")) or header_type or "")


def _model_error(status: int, item: Mapping[str, Any], request_id: str | None) -> FalError:
    kind = str(item.get("type", ""))
    cause, cure = MODEL_ERRORS.get(kind, SETTING_REFUSED)
    field = str((item.get("loc") or [""])[-1])
    slot = next((slot for part, slot in SLOTS.items() if part in field), None)
    said = str(item.get("msg", "")).strip()
    if kind not in MODEL_ERRORS and said:
        cause = f"fal refused {field or 'the request'}: {said[:200].rstrip('.')}."
    cause += _limits(item.get("ctx"))
    # "May still be charged if a runner spent GPU time", says fal of a 422; only a 5xx never is.
    cost = Cost.MAYBE if status < 500 else Cost.NOTHING
    kind_of_error = Filtered if kind == "content_policy_violation" else JobFailed
    return kind_of_error(cause, cure, slot=slot, cost=cost, request_id=request_id)


def _limits(context: Any) -> str:
    if not isinstance(context, Mapping):
        return ""
    for bound, word in (("max", "at most"), ("min", "at least")):
        width, height = context.get(f"{bound}_width"), context.get(f"{bound}_height")
        if isinstance(width, int) and isinstance(height, int):
            return f" It may be {word} {width} × {height} pixels."
    if isinstance(context.get("max_size"), int):
        return f" It may have at most {context['max_size'] / 1e6:.0f} MB."
    return ""


def _by_status(status: int, said: str, request_id: str | None) -> FalError:
    error = _plain(status, said, known=bool(request_id))
    error.request_id = request_id
    # A refused key, or a busy fal, says nothing about the cost of a job that was accepted before.
    if status == 422 or (request_id and status < 500):
        error.cost = Cost.MAYBE
    return error


def _plain(status: int, said: str, known: bool) -> FalError:
    if status == 401:
        return KeyRefused("fal does not accept the key.", "Check the key, or make a new one at fal.ai.")
    if status == 403 and "balance" in said.lower():
        return KeyRefused(
            "The fal account behind the key has no money left.", "Top it up at fal.ai, or use a key of your own."
        )
    if status == 403 and "locked" in said.lower():
        return KeyRefused(
            "fal has locked the account behind the key.", "See fal.ai/dashboard, or use a key of your own."
        )
    if status == 403:
        return KeyRefused(
            "The key is not allowed to use this model.", "Check the key's rights at fal.ai, or use a key of your own."
        )
    if status == 404 and known:
        return JobFailed(
            "fal does not know this request.", "fal keeps requests for a short time only; start a new try."
        )
    if status == 404:
        return JobFailed("fal does not know this model.", "Try another model; this one may have moved.")
    if status == 429:
        return FalError("fal is taking no more requests for this key just now.", "Try again in a minute.")
    if status == 499:
        cause, cure = PLATFORM_ERRORS["client_cancelled"]
        return JobCancelled(cause, cure, cost=Cost.MAYBE)
    what = f": {said[:200].rstrip('.')}" if said else ""
    return JobFailed(f"fal answered with an error ({status}){what}.", SAME_AGAIN)
