"""What the views of all dialects share."""
