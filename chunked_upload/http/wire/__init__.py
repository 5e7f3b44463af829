"""What all dialects read and write: the body, forms, ranges, replies."""
