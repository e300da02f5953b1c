"""The layout of the page: which component is where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.models.spec import ModelSpec
from vton_ui.pictures.sheet import LAYOUT, MAX_GARMENTS
from vton_ui.studio import Studio
from vton_ui.tryon.plan import VARIATIONS, WEAR
from vton_ui.ui import markup
from vton_ui.ui.components import looks
from vton_ui.ui.components.camera import camera
from vton_ui.ui.components.confirmation import confirmation
from vton_ui.ui.components.controls import control, controls, link
from vton_ui.ui.components.examples import examples, thumbnails
from vton_ui.ui.components.garment_rail import GarmentRail
from vton_ui.ui.components.garments import KIND, kinds
from vton_ui.ui.components.slots import PersonPhoto
from vton_ui.ui.memory import NO_MEMORY

SOURCES = ["upload", "webcam", "clipboard"]
ALL_MODELS = "both"
"""The picker's value for every model of the registry."""
MOST_PICTURES = 4
"""Scripts may ask for more of each look."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Page:
    """The components that have events or are changed by them.

    Attributes:
        notice: About the photos and options; only `Edits.refresh` writes it.
        failure: About the last try-on; only `Runs` writes it, so that a late refresh cannot remove it.
        options: The components of every model's options: model name → option name → component.
        groups: The blocks that are shown for one model only: model name → blocks.
        headings: The models' names over their options, for when several are chosen: model name → headings.
        confirm: Asks before a costly plan is ordered; its value is the question.
        asked: What is asked there: see `Confirmation`.
        form: What stands on the page, as the browser keeps it.
        restored: What a page that was just loaded is filled with, as JSON.
    """

    model: gr.Radio
    person: PersonPhoto
    garments: GarmentRail
    people: gr.Dataset
    clothes: gr.Dataset
    swap: gr.Button
    sheet: gr.Image
    layout: gr.Radio
    notice: gr.HTML
    failure: gr.HTML
    use_model: gr.Button
    wear: gr.Radio
    pictures: gr.Radio
    options: Mapping[str, Mapping[str, Component]]
    groups: Mapping[str, list[gr.Column]]
    headings: Mapping[str, list[gr.HTML]]
    try_on: gr.Button
    cancel: gr.Button
    confirm: gr.HTML
    asked: gr.State
    estimate: gr.HTML
    result: gr.HTML
    status: gr.HTML
    details: gr.HTML
    download: gr.DownloadButton
    again: gr.Button
    retry: gr.Button
    look_again: gr.Button
    private: gr.Checkbox
    looks: gr.HTML
    find_id: gr.Textbox
    find: gr.Button
    forget: gr.Button
    forget_confirm: gr.HTML
    come_back: gr.Button
    fal_key: gr.Textbox
    memory: gr.BrowserState
    form: gr.BrowserState
    restored: gr.HTML

    @property
    def settings(self) -> set[Component]:
        """The components that a request is made of."""
        return {self.person, self.garments, self.fal_key, *self.choices.values()}

    @property
    def choices(self) -> dict[str, Component]:
        """The settings that are neither photos nor the key, by a name that stays the same."""
        own = {name: getattr(self, name) for name in ("model", "wear", "pictures", "layout", "private")}
        return own | {f"{model}.{name}": part for model, named in self.options.items() for name, part in named.items()}

    @property
    def namesakes(self) -> dict[Component, tuple[str, str]]:
        """The components of options that an earlier model has too: their elem_ids, alone and beside that model's."""
        found: dict[Component, tuple[str, str]] = {}
        seen: set[str] = set()
        for model, named in self.options.items():
            found |= {
                part: (f"option-{name}", f"option-{name}-{model}") for name, part in named.items() if name in seen
            }
            seen |= named.keys()
        return found

    @property
    def inputs(self) -> set[Component]:
        """The settings, and what the page remembers."""
        return {*self.settings, self.asked, self.find_id, self.memory}


def lay_out(studio: Studio) -> Page:
    """Build the page inside the current gr.Blocks, without events."""
    gr.HTML(
        '<a class="skip" href="#action">Skip to the button</a>'
        "<header><h1>Try-on studio</h1><p>See clothes on a person before you buy, sew or shoot them.</p></header>",
        elem_id="masthead",
        padding=False,
    )
    gr.HTML(
        "<p>Your browser stores nothing for this page: when you reload it, results are lost. "
        "Download what you want to keep.</p>",
        elem_id="unstored",
        padding=False,
    )
    parts: dict[str, Any] = {}
    if studio.sandbox:
        parts["fal_key"] = _key_box("No key: drafts made on this machine, not AI. Add a fal key for real results")
    cards = [(markup.model_card(model), name) for name, model in studio.models.items()]
    if len(cards) > 1:
        cards.append((markup.all_models_card(list(studio.models.values())), ALL_MODELS))
    parts["model"] = gr.Radio(
        cards,
        value=studio.default_model.name,
        label="Model",
        show_label=False,
        elem_id="model",
        container=False,
    )
    with gr.Row(elem_id="desk", equal_height=True):
        with gr.Column(elem_classes="station", min_width=300):
            parts |= _person(studio)
        with gr.Column(elem_classes="station", min_width=300):
            parts |= _garments(studio)
        with gr.Column(elem_classes="station", min_width=300):
            parts |= _result()
    parts |= _kept(studio)
    if not studio.sandbox:
        parts["fal_key"] = _key_box("Use your own fal key")
    gr.HTML(_where_it_goes(studio), elem_id="privacy", padding=False)
    return Page(**parts)


def _key_box(invitation: str) -> gr.Textbox:
    with gr.Accordion(invitation, open=False, elem_id="key_drawer"):
        return gr.Textbox(
            type="password",
            label="fal key",
            info="Sent with your requests only, and stored nowhere. Keys are made at fal.ai/dashboard/keys.",
            elem_id="fal_key",
            placeholder="key id:key secret",
            autofocus=False,
        )


def _person(studio: Studio) -> dict[str, Any]:
    gr.HTML("<h2><b>1</b> Person</h2>", padding=False)
    person = PersonPhoto(
        type="filepath",
        image_mode=None,
        sources=SOURCES,  # type: ignore[arg-type]
        label="Person",
        show_label=False,
        elem_id="person",
        elem_classes="slot",
        buttons=["fullscreen"],
        webcam_options=gr.WebcamOptions(mirror=False),
        placeholder="Drop a photo, or take one",
    )
    camera("shoot")
    people = thumbnails(examples(studio.examples, "people"), "people")
    gr.HTML(
        '<p class="tip">One person, facing the camera, arms off the body, on a plain ground. '
        "Phone photos are fine.</p>",
        padding=False,
    )
    return {"person": person, "people": people}


def _garments(studio: Studio) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    with gr.Row(elem_classes="title"):
        gr.HTML("<h2><b>2</b> Garments</h2>", padding=False)
        parts["swap"] = gr.Button("Swap with person", size="sm", elem_id="swap", scale=0, min_width=140)
    parts["garments"] = GarmentRail(
        kinds=kinds([studio.default_model]),
        kind_control=f"[id^=option-{KIND}]",
        max_garments=MAX_GARMENTS,
        elem_id="garments",
        padding=False,
    )
    parts["clothes"] = thumbnails(examples(studio.examples, "garments"), "clothes")
    with gr.Column(elem_classes="options choice"):
        parts["wear"] = control(WEAR, visible=False, elem_id="wear")
    parts["sheet"] = gr.Image(
        label="What the model gets to see",
        elem_id="sheet",
        interactive=False,
        visible=False,
        buttons=["fullscreen"],
        format="png",
        height=150,
    )
    with gr.Column(elem_classes="options choice"):
        parts["layout"] = control(LAYOUT, visible=False, elem_id="layout")
    return parts | _options(studio)


def _options(studio: Studio) -> dict[str, Any]:
    options: dict[str, dict[str, Component]] = {model: {} for model in studio.models}
    groups: dict[str, list[gr.Column]] = {model: [] for model in studio.models}
    headings: dict[str, list[gr.HTML]] = {model: [] for model in studio.models}

    def lay_out(model: ModelSpec, *, expert: bool) -> None:
        with gr.Column(visible=model is studio.default_model, elem_classes=["options", f"of-{model.name}"]) as group:
            headings[model.name].append(gr.HTML(f"<h3>{escape(model.title)}</h3>", padding=False, visible=False))
            options[model.name] |= controls(model, expert=expert)
        groups[model.name].append(group)

    for model in studio.models.values():
        lay_out(model, expert=False)
    with gr.Accordion("Expert options", open=False, elem_id="expert"):
        for model in studio.models.values():
            lay_out(model, expert=True)
        with gr.Column(elem_classes="options"):
            private = gr.Checkbox(
                label="Private",
                info="fal stores no record of the request. Should its answer get lost, it cannot be looked for.",
                elem_id="private",
            )
    for model in studio.models.values():
        link(model, options[model.name])
    return {"options": options, "groups": groups, "headings": headings, "private": private}


def _result() -> dict[str, Any]:
    parts: dict[str, Any] = {}
    gr.HTML("<h2><b>3</b> Result</h2>", padding=False)
    with gr.Column(elem_id="mirror"):
        parts["result"] = looks.station(elem_id="result")
        parts["status"] = gr.HTML(markup.INVITATION, elem_id="status", padding=False)
    with gr.Column(elem_classes="options choice"):
        parts["pictures"] = gr.Radio(
            list(range(1, MOST_PICTURES + 1)), value=1, label=VARIATIONS.label, elem_id="pictures"
        )
    with gr.Column(elem_id="action"):
        parts["try_on"] = gr.Button(
            "Add a person and a garment", variant="primary", size="lg", interactive=False, elem_id="try_on"
        )
        parts["confirm"] = confirmation("confirm", yes="Order", no="Not now", back="#try_on:enabled")
        parts["cancel"] = gr.Button("Cancel", variant="secondary", size="lg", visible=False, elem_id="cancel")
        parts["estimate"] = gr.HTML("", elem_id="estimate", padding=False)
    parts["notice"] = gr.HTML("", elem_id="notice", padding=False)
    parts["failure"] = gr.HTML("", elem_id="failure", padding=False)
    parts["use_model"] = gr.Button("Use another model", size="sm", visible=False, elem_id="use_model")
    with gr.Row(elem_id="cures"):
        parts["look_again"] = gr.Button("Look again", size="sm", visible=False, elem_id="look_again")
        parts["retry"] = gr.Button("Try again", size="sm", visible=False, elem_id="retry")
    parts["details"] = gr.HTML("", elem_id="details", padding=False)
    with gr.Row(elem_id="after"):
        parts["download"] = gr.DownloadButton("Download", size="sm", visible=False, elem_id="download")
        parts["again"] = gr.Button("Again, another seed", size="sm", visible=False, elem_id="again")
    parts["asked"] = gr.State(None)
    return parts


def _kept(studio: Studio) -> dict[str, Any]:
    strip = looks.strip(elem_id="looks")
    with gr.Accordion("Find a request, or forget everything", open=False, elem_id="keeping"):
        with gr.Row(elem_id="finder"):
            find_id = gr.Textbox(
                label="Request id",
                info="Fetches its result again, for free, while fal still has it.",
                elem_id="find_id",
                max_lines=1,
                max_length=100,
                scale=1,
            )
            find = gr.Button("Find", size="sm", elem_id="find", scale=0, min_width=120)
        with gr.Column(elem_id="forgetting"):
            forget = gr.Button("Forget everything", size="sm", elem_id="forget")
            forget_confirm = confirmation("forget_confirm", yes="Forget everything", no="Keep it", back="#forget")
        gr.HTML(
            f"<p class='tip'>Results are kept on this server for {studio.keep_hours:g} hours, for this browser only. "
            "Forget everything deletes them, the photos on the page, and this browser's list, at once.</p>",
            padding=False,
        )
    return {
        "looks": strip,
        "find_id": find_id,
        "find": find,
        "forget": forget,
        "forget_confirm": forget_confirm,
        "come_back": gr.Button("Come back", visible="hidden", elem_id="come_back"),
        # Fixed names, or a restart of the server would lose what browsers keep. The secret is sent to every browser
        # and protects nothing; the signature inside does.
        "memory": gr.BrowserState(NO_MEMORY, storage_key="vton-ui", secret="vton-ui"),
        "form": gr.BrowserState(NO_MEMORY, storage_key="vton-ui-form", secret="vton-ui"),
        "restored": gr.HTML("", html_template="", visible="hidden", elem_id="restored"),
    }


def _where_it_goes(studio: Studio) -> str:
    sent = (
        "sent to fal.ai, without metadata such as the place they were taken, and deleted there after an hour; "
        f"uploads stay on this server for an hour, results for {studio.keep_hours:g}"
    )
    words = (
        f"With a key your photos are {sent}. Without one nothing is sent."
        if studio.sandbox
        else f"Your photos are {sent}."
    )
    return f"<footer><p>{words}</p></footer>"
