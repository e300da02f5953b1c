"""Components of the page, some our own on public `gr.HTML`: Python, template, script and style of each side by side.

They know what a browser shows and sends back, and nothing of models, money or fal, nor of the page's events.
"""
