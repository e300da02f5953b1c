"""From a click to pictures. Knows protocols, neither fal nor Gradio."""
