"""Upload records in the database: the model, and all SQL."""
