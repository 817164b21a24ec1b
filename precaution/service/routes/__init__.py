"""What can be called over HTTP: hooks, feedback, answers, pages, health. Each module returns its routes for `app`."""
