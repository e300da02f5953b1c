"""The page and the API: the only importers of Gradio. Knows neither fal nor the ledger; app.py hands it a Studio."""

from vton_ui.ui.compat.startup import import_gradio

import_gradio()  # before any other module of this package imports it
