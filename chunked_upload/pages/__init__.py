"""What people see: the upload page, upload zones in templates, static files."""
