"""Files to pictures and back: CPU work only. Knows no network, no Gradio and no request."""
