"""The types that describe a model and its options; no facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Union

Value = Union[str, int, float, bool, None]
Values = Mapping[str, Value]
"""The options of one request by name; every option of the model is in it."""


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height


@dataclass(frozen=True, kw_only=True)
class MegapixelPrice:
    """US dollars per megapixel; each picture is rounded up to whole megapixels separately."""

    first_input: Decimal
    extra_input: Decimal
    output: Decimal


@dataclass(frozen=True, kw_only=True)
class PicturePrice:
    """US dollars for each picture that comes back, whatever its size."""

    usd: Decimal


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """What every option has: its name in our API (fal's own where fal has one), and its texts on screen.

    Attributes:
        expert: Shown in the closed accordion.
        only_if: Shown only while another option has one of these values: (name, values).
    """

    name: str
    label: str
    hint: str = ""
    expert: bool = False
    only_if: tuple[str, tuple[Value, ...]] | None = None


@dataclass(frozen=True, kw_only=True)
class Choice(Labelled):
    """One of several values; `choices` are (value, label on screen)."""

    choices: tuple[tuple[str, str], ...]
    default: str


@dataclass(frozen=True, kw_only=True)
class Number(Labelled):
    """A number in [minimum, maximum]; whole if `step` is.

    A default of None: the value is chosen for each request; `placeholder` says how.
    """

    minimum: float
    maximum: float
    step: float = 1
    default: float | None
    placeholder: str = ""


@dataclass(frozen=True, kw_only=True)
class Text(Labelled):
    """Free text of at most `max_length` characters."""

    default: str = ""
    placeholder: str = ""
    lines: int = 1
    max_length: int = 1000


@dataclass(frozen=True, kw_only=True)
class Flag(Labelled):
    """Yes or no."""

    default: bool = False


Option = Union[Choice, Number, Text, Flag]


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a model's arguments are built from.

    Attributes:
        person: URL of the person's picture.
        garment: URL of the garment's picture, or of the sheet.
        garment_count: How many garments are on it.
        values: The options, checked, with a seed.
    """

    person: str
    garment: str
    garment_count: int
    values: Values


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model's output says, in one form for all models.

    Attributes:
        url: Of the picture; a data URI with sync_mode.
        seed: The seed it used, if the output has it.
        flagged: Whether its safety checker objected.
    """

    url: str
    seed: int | None = None
    flagged: bool = False


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a model allows its two pictures, given the options of a request: see ModelSpec."""

    person_pixels: int
    garment_pixels: int
    output_size: Size | None
    unscaled_pixels: int = 0


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One endpoint that can be called.

    Attributes:
        name: Our name for it, in the API.
        title: Its name on screen.
        endpoint: fal's id of it.
        good_at: What it is good at, one short clause.
        takes: How long it takes, in words.
        licence: What its licence allows, in words.
        licence_short: The same beside its name, two or three words.
        max_garments: How many garments one request may have; several go on one sheet.
        options: Its settings, in the order on screen.
        person_pixels: The most pixels the person's picture may have, given the options.
        garment_pixels: The most pixels the garment's picture or the sheet may have, given the options.
        output_size: The size of its picture, given the options; None where it follows the person's.
            Person and garment are padded to it, and the padding is cut off the result again.
        caution: A warning about a combination of options, or None.
        arguments: The JSON object sent to the endpoint.
        read: What the endpoint's JSON output says; one picture, as one request is one look. KeyError, IndexError or
            TypeError if it has another shape.
        price: fal's published price; None if there is none.
        unscaled_pixels: A photo that already has the output's shape and at most so many pixels is sent as it is.
            For an endpoint that scales by itself, at a price that does not depend on the photo's size.
    """

    name: str
    title: str
    endpoint: str
    good_at: str
    takes: str
    licence: str
    licence_short: str
    max_garments: int
    options: tuple[Option, ...]
    person_pixels: Callable[[Values], int]
    garment_pixels: Callable[[Values], int]
    output_size: Callable[[Values], Size | None]
    caution: Callable[[Values], str | None]
    arguments: Callable[[Inputs], dict[str, Any]]
    read: Callable[[Mapping[str, Any]], Answer]
    price: MegapixelPrice | PicturePrice | None
    unscaled_pixels: int = 0

    def limits(self, values: Values) -> Limits:
        """The limits of the two pictures."""
        return Limits(
            person_pixels=self.person_pixels(values),
            garment_pixels=self.garment_pixels(values),
            output_size=self.output_size(values),
            unscaled_pixels=self.unscaled_pixels,
        )

    def defaults(self) -> dict[str, Value]:
        """Every option with its default."""
        return {option.name: option.default for option in self.options}
