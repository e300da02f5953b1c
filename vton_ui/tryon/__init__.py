"""Runs requests, from a click to pictures. Knows protocols, and must not know fal or Gradio."""
