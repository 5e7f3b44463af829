"""What the dialects share: Content-Range, the request body, streaming forms, replies."""
