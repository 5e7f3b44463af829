"""What runs beside requests: expiry, orphans, retries, and the commands that start them."""
