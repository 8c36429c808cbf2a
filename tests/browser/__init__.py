"""Drive JupyterLab in a real browser: a server, a page, and what a student would do there."""
