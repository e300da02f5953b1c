"""The environment and .env → Settings. The environment wins."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from dotenv import dotenv_values

T = TypeVar("T")

_HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:\d{1,5})?")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the owner of the server decides.

    Attributes:
        fal_key: FAL_KEY, the key that pays for visitors without a key of their own; None: the sandbox.
        data_dir: VTON_DATA_DIR, where results, the ledger and the server's secret are kept.
        fal_api_url: FAL_API_URL, fal's platform API (prices, lost requests).
        keep_hours: VTON_KEEP_HOURS, how long results are kept.
        daily_budget_usd: VTON_DAILY_BUDGET_USD, the most that the owner's key may spend a day; None: no cap.
        visitor_budget_usd: VTON_VISITOR_BUDGET_USD, the same for one visitor.
        visitor_rate: VTON_VISITOR_RATE, tries an hour for one visitor on the owner's key; None: no cap.
        unknown_price_usd: VTON_UNKNOWN_PRICE_USD, what a model without a published price counts as.
        proxies: VTON_PROXIES, how many proxies of the owner's are in front of the server and add to X-Forwarded-For.
        hosts: VTON_HOSTS, further host names that the server accepts, "*.example.com" for all subdomains.
        origins: VTON_ORIGINS, the other sites whose pages may call the server, as scheme://host[:port].
        free_rate: VTON_FREE_RATE, free calls a minute for one visitor: drafts, sheets, estimates, look-ups.
        upload_mb: VTON_UPLOAD_MB, megabytes of photos an hour from one visitor.
        parallel: VTON_PARALLEL, how many looks of one click run at once.
        confirm_usd: VTON_CONFIRM_USD, the dollars above which the page asks before it orders.
    """

    fal_key: str | None = field(default=None, repr=False)
    data_dir: Path = Path("data")
    fal_api_url: str = "https://api.fal.ai"
    keep_hours: float = 24
    daily_budget_usd: Decimal | None = None
    visitor_budget_usd: Decimal | None = None
    visitor_rate: int | None = None
    unknown_price_usd: Decimal = Decimal("0.05")
    proxies: int = 0
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    free_rate: int = 60
    upload_mb: int = 200
    parallel: int = 4
    confirm_usd: Decimal = Decimal("0.50")


def load(environment: Mapping[str, str] | None = None, dotenv: Path = Path(".env")) -> Settings:
    """The settings of this server.

    Args:
        environment: Variables; the process's own if None.
        dotenv: A file of further variables, which the environment overrides.

    Raises:
        SystemExit: A value is invalid. It is better to stop at the start than to find out on a bill.
    """
    given = {**dotenv_values(dotenv), **(os.environ if environment is None else environment)}
    known = {name: value.strip() for name, value in given.items() if value and value.strip()}
    return Settings(
        fal_key=known.get("FAL_KEY"),
        data_dir=Path(known.get("VTON_DATA_DIR", Settings.data_dir)).resolve(),
        fal_api_url=known.get("FAL_API_URL", Settings.fal_api_url).rstrip("/"),
        keep_hours=float(_number(known, "VTON_KEEP_HOURS", Settings.keep_hours)),
        daily_budget_usd=_number(known, "VTON_DAILY_BUDGET_USD", None),
        visitor_budget_usd=_number(known, "VTON_VISITOR_BUDGET_USD", None),
        visitor_rate=_whole(known, "VTON_VISITOR_RATE", None),
        unknown_price_usd=_number(known, "VTON_UNKNOWN_PRICE_USD", Settings.unknown_price_usd),
        # On a Space there is always one proxy, Hugging Face's own.
        proxies=_whole(known, "VTON_PROXIES", int("SPACE_ID" in known)),
        hosts=_hosts(known),
        origins=_list(known, "VTON_ORIGINS", _ORIGIN, "scheme://host[:port], such as https://shop.example.com"),
        free_rate=_positive(known, "VTON_FREE_RATE", Settings.free_rate),
        upload_mb=_positive(known, "VTON_UPLOAD_MB", Settings.upload_mb),
        parallel=_positive(known, "VTON_PARALLEL", Settings.parallel),
        confirm_usd=_number(known, "VTON_CONFIRM_USD", Settings.confirm_usd),
    )


def secret_of(data_dir: Path) -> bytes:
    """The server's secret, made at its first start. It signs what browsers keep, and salts visitors' hashes."""
    path = data_dir / "secret"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        own = data_dir / f"secret.{secrets.token_hex(4)}"
        own.touch(mode=0o600)
        own.write_bytes(secrets.token_bytes(32))
        # Several processes may start at once: one of them links its whole file, and all read that one.
        with suppress(FileExistsError):
            os.link(own, path)
        own.unlink()
    return path.read_bytes()


def _hosts(known: Mapping[str, str]) -> tuple[str, ...]:
    """The owner's host names, and those of a Space, of Gradio's share link and of the address to listen on."""
    own = _list(known, "VTON_HOSTS", _HOST, "a name, such as studio.example.com or *.example.com")
    share = ("*.gradio.live",) * (_parts(known, "GRADIO_SHARE") == ("true",))
    return (*own, *_parts(known, "SPACE_HOST"), *share, *_parts(known, "GRADIO_SERVER_NAME"))


def _list(known: Mapping[str, str], name: str, form: re.Pattern[str], words: str) -> tuple[str, ...]:
    parts = _parts(known, name)
    for part in parts:
        if not form.fullmatch(part):
            raise SystemExit(f"{name} has {part!r} in it; it must be {words}, several separated by commas.")
    return parts


def _parts(known: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in known.get(name, "").split(",") if part.strip())


def _whole(known: Mapping[str, str], name: str, default: T) -> int | T:
    number = _number(known, name, None)
    if number is None:
        return default
    if number != int(number):
        raise SystemExit(f"{name} is {number}; it must be a whole number.")
    return int(number)


def _positive(known: Mapping[str, str], name: str, default: int) -> int:
    number = _whole(known, name, default)
    if number == 0:
        raise SystemExit(f"{name} is 0; it must be 1 or more.")
    return number


def _number(known: Mapping[str, str], name: str, default: T) -> Decimal | T:
    value = known.get(name)
    if value is None:
        return default
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        raise SystemExit(f"{name} is {value!r}; it must be a number, 0 or more.")
    return number
