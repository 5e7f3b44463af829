"""One module or package per dialect: it recognises a request, and renders the reply."""
