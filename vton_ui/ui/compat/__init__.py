"""The only place that relies on what Gradio and Starlette do not promise; everything here was read in Gradio 6.31.

Every entry says why it is needed, what it buys and when it can be deleted; `tests/test_compat.py` asserts the shape
that each relies on. This file imports nothing, because `startup` has to run before Gradio is imported.

startup   the import of Gradio, its settings by environment variable, the names it gives to files
routes    the addresses of Gradio's web app
blocks    errors, sessions, inputs and middleware of gr.Blocks
files     the folder of uploads, its names, and the values of components that hold files
calls     the queue and its events: cancel, steps on the way, callers who leave
mcp       the tools of agents
assets    the page: its head, its scripts and style sheets
"""
