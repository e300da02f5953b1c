"""Gradio's theme: one palette for light and dark mode, with one accent colour for the button and what is selected."""

from __future__ import annotations

import re

import gradio as gr

SYSTEM_FONTS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

# Name of a colour → in light mode, in dark mode. style.css has them as --name.
PALETTE = {
    "paper": ("#faf8f4", "#191714"),
    "card": ("#fffefb", "#211f1b"),
    "well": ("#f3efe7", "#2a2722"),
    "line": ("#e4ddd0", "#3a362f"),
    "edge": ("#8b8273", "#847b6d"),
    "ink": ("#211d17", "#f2ede3"),
    "quiet": ("#6d6558", "#a89f90"),
    "accent": ("#2c5f4f", "#8cc7b0"),
    "accent-strong": ("#224c3f", "#a3d6c2"),
    "accent-soft": ("#e6efe9", "#263630"),
    "on-accent": ("#ffffff", "#12211b"),
    "alarm": ("#9a3b26", "#f0a58f"),
    "alarm-soft": ("#fbeee9", "#3a2620"),
}

# Colour → the variables of Gradio's theme that have it.
USES = {
    "paper": "body_background_fill",
    "ink": "body_text_color block_title_text_color checkbox_label_text_color_selected button_secondary_text_color",
    "quiet": "body_text_color_subdued block_info_text_color block_label_text_color input_placeholder_color",
    "card": (
        "background_fill_primary block_background_fill block_label_background_fill input_background_fill_focus "
        "checkbox_background_color checkbox_label_background_fill button_secondary_background_fill"
    ),
    "well": (
        "background_fill_secondary input_background_fill checkbox_label_background_fill_hover "
        "button_secondary_background_fill_hover"
    ),
    "line": (
        "block_border_color border_color_primary checkbox_label_border_color button_secondary_border_color "
        "button_secondary_border_color_hover"
    ),
    # Of what is recognised by its border alone: at least 3:1 against every ground.
    "edge": "input_border_color checkbox_border_color",
    "accent": (
        "border_color_accent link_text_color link_text_color_visited input_border_color_focus slider_color "
        "loader_color checkbox_background_color_selected checkbox_border_color_selected "
        "checkbox_label_border_color_selected button_primary_background_fill button_primary_border_color"
    ),
    "accent-soft": "color_accent_soft checkbox_label_background_fill_selected",
    "accent-strong": "link_text_color_hover button_primary_background_fill_hover button_primary_border_color_hover",
    "on-accent": "button_primary_text_color",
}


def palette_css() -> str:
    """The palette as CSS custom properties, for both modes."""
    light = "".join(f"--{name}:{colours[0]};" for name, colours in PALETTE.items())
    dark = "".join(f"--{name}:{colours[1]};" for name, colours in PALETTE.items())
    return f":root{{{light}}}.dark{{{dark}}}"


_GLOBAL = re.compile(r"@(?:keyframes|font-face|property)\b[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
"""Rules that hold for the whole page and cannot be nested."""


def winning(rules: str) -> str:
    """A style sheet whose rules win over Gradio's, whichever of the two sheets comes first.

    Nested in a selector of three classes: Gradio scopes its own rules by one or two. The components' rules are scoped
    by an id, so they win over both.
    """
    return "".join(_GLOBAL.findall(rules)) + f":root:root:root{{{_GLOBAL.sub('', rules)}}}"


def theme() -> gr.themes.Base:
    """gr.themes.Base with our colours and the system's fonts, on an 8-pixel grid."""
    plain = gr.themes.Base(
        font=SYSTEM_FONTS,
        font_mono=MONO_FONTS,
        radius_size=gr.themes.Size("4px", "6px", "8px", "12px", "12px", "14px", "16px", name="soft"),
        text_size=gr.themes.sizes.text_md,
    )
    return plain.set(
        **{
            f"{name}{mode}": f"var(--{colour})"
            for colour, names in USES.items()
            for name in names.split()
            for mode in ("", "_dark")
        },
        color_accent="var(--accent)",
        block_shadow="none",
        block_border_width="1px",
        block_title_text_weight="500",
        block_title_text_size="14px",
        block_info_text_size="13px",
        button_border_width="1px",
        button_large_text_size="16px",
        button_large_text_weight="600",
        button_large_padding="14px 20px",
        button_large_radius="12px",
        button_small_radius="8px",
        button_medium_radius="10px",
        checkbox_border_radius="5px",
        input_border_width="1px",
        block_radius="14px",
        input_radius="10px",
        layout_gap="16px",
        form_gap_width="0px",
    )
