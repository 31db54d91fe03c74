"""Charts as SVG, made on the server: they need no script, print well, and each has its table on the page."""
