"""Between the network and the page: middleware, limits, uploads, style and script. Knows no try-on."""
