"""What can be called: every model is data, and this is their registry. Knows no network, no files and no page."""

from __future__ import annotations

from vton_ui.models.cat_vton import CAT_VTON
from vton_ui.models.flux_vto import FLUX_VTO

__all__ = ["CAT_VTON", "FLUX_VTO", "MODELS"]

MODELS = {model.name: model for model in (FLUX_VTO, CAT_VTON)}
"""The first is the default."""
