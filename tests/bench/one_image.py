"""A Gradio app with one picture on it and one event: what its first event takes at least.

`python -m tests.bench.one_image`
"""

from __future__ import annotations

import gradio as gr

if __name__ == "__main__":
    with gr.Blocks() as demo:
        image = gr.Image()
        demo.load(lambda: None, None, image)
    demo.launch()
