"""One HTTP request: who sent it, what it carries, which dialect it speaks, and its answer."""
