"""The virtual world's own site file, configuration and launcher."""
