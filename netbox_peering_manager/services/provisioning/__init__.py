"""Making and removing sessions with every row that they need. Import from the modules."""
