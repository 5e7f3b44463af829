"""Who the caller is, and whether the request is really theirs: callers, CSRF, CORS."""
