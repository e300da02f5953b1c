"""A Gradio app with nothing on it: what the first page costs at least. `python -m tests.bench.empty`."""

from __future__ import annotations

import gradio as gr

if __name__ == "__main__":
    with gr.Blocks() as demo:
        pass
    demo.launch()
