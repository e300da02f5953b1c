"""The arguments of a call → a request or a plan, with every option and every path checked; Gradio checks neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vton_ui.errors import OptionError
from vton_ui.models.options import check, shortened
from vton_ui.models.spec import ModelSpec, Option
from vton_ui.pictures.sheet import grid
from vton_ui.studio import Studio
from vton_ui.tryon.plan import Plan, check_wish, known, new_plan
from vton_ui.tryon.request import Request, named, new_request
from vton_ui.ui.compat.files import replace_download
from vton_ui.ui.errors import translate_errors
from vton_ui.ui.signatures import PLAN_ONLY_FLAG, PRIVATE_FLAG, Given, shared_options
from vton_ui.ui.web.downloads import SCHEMES, fetched
from vton_ui.ui.web.uploads import is_upload_path, own
from vton_ui.ui.web.visitor import browser_of


async def read_call(studio: Studio, given: Given) -> Request:
    """The request that a call amounts to.

    Raises:
        InputError: Something in it cannot be used.
    """
    name, person = given["model"], given["person"]
    model = studio.models.get(name) if isinstance(name, str) else None
    if model is None:
        raise OptionError(
            f"{shortened(name)} is no model here.", f"Use one of {', '.join(studio.models)}.", slot="model"
        )
    _check_others([model], studio, given)
    private = bool(check(PRIVATE_FLAG, given["private"]))
    path = await _photo(person, "Person", studio, given) if person else None
    garments = await read_garments(studio, given)
    return new_request(model, path, garments, given, private=private)


@dataclass(frozen=True, kw_only=True)
class AskedPlan:
    """The plan that a call amounts to; `worn` are the places of the garments of each look."""

    plan: Plan
    worn: list[list[int]]
    plan_only: bool


async def read_plan(studio: Studio, given: Given) -> AskedPlan:
    """The plan that a call amounts to, all of it checked before a photo is fetched.

    Raises:
        InputError: Something in it cannot be used.
    """
    models, files = known(given["models"], studio.models), _files(given)
    kinds, options = given["cloth_types"], shared_options(studio.models).get("cloth_type", [])
    wear, variations = check_wish(len(models), len(files), given["wear"], given["variations"], kinds)
    _check_others(models, studio, given)
    for kind in kinds if kinds and options else ():
        _check_unused(options, kind)
    private, plan_only = bool(check(PRIVATE_FLAG, given["private"])), bool(check(PLAN_ONLY_FLAG, given["plan_only"]))
    outfits = [[place] for place in range(len(files))] if wear == "each" else [list(range(len(files)))]
    plan = new_plan(
        models,
        await _photo(given["person"], "Person", studio, given) if given["person"] else None,
        [await _photo(file, slot, studio, given) for file, slot in named(files)],
        {model.name: given for model in models},
        wear=wear,
        variations=variations,
        cloth_types=kinds,
        private=private,
    )
    worn = [outfit for outfit in outfits for _ in range(variations)] * len(models)
    return AskedPlan(plan=plan, worn=worn, plan_only=plan_only)


async def read_garments(studio: Studio, given: Given) -> list[Path]:
    """The garments of a call."""
    files = _files(given)
    grid(len(files))  # refuses too many before any is fetched
    return [await _photo(file, slot, studio, given) for file, slot in named(files)]


def _files(given: Given) -> list[Any]:
    """The files of the garments, which may be one without a list."""
    files = given["garments"] or []
    if isinstance(files, (str, Mapping)):
        files = [files]
    if not isinstance(files, list):
        raise OptionError("garments is no list.", "Give a list of files.", slot="garments")
    return files


def allow_addresses(component: Any, studio: Studio) -> None:
    """Have an endpoint's input fetch web addresses as we do: within limits, and with errors in words."""

    async def download(source: str) -> str | None:
        if not source.startswith(SCHEMES):
            return None
        with translate_errors():
            return str(await fetched(source, quota=studio.uploaded))

    replace_download(component, download)


def _check_others(models: Sequence[ModelSpec], studio: Studio, given: Given) -> None:
    """Refuse a value of an option that none of these models has, if no other model takes it."""
    own_options = {option.name for model in models for option in model.options}
    for name, options in shared_options(studio.models).items():
        if name not in own_options:
            _check_unused(options, given[name])


def _check_unused(options: Sequence[Option], value: Any) -> None:
    """Refuse a value that no model takes. A call carries the options of all models; those of others are ignored."""
    refusals = []
    for option in options:
        try:
            check(option, value)
            return
        except OptionError as exc:
            refusals.append(exc)
    raise refusals[0]


async def _photo(file: Any, slot: str, studio: Studio, given: Given) -> Path:
    path = file.get("path") if isinstance(file, Mapping) else file
    # A bare text is the path of an upload or an address, of this server too.
    if str(path).startswith(SCHEMES) or (isinstance(file, str) and not is_upload_path(file)):
        path = await fetched(str(path), slot=slot, quota=studio.uploaded)
    found = own(path, slot=slot, examples=studio.examples)
    studio.session_uploads.add(browser_of(given["request"]), [found])  # another owner's Forget does not delete it
    return found
