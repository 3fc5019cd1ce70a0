"""What LUTE reads and writes: the YAML configuration and the results database."""
