"""HTML pages that show what happened."""
