"""What the pages draw, at least one module per page."""
