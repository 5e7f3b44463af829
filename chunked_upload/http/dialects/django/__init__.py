"""django-chunked-upload's protocol: chunks with Content-Range, and a request to complete."""
