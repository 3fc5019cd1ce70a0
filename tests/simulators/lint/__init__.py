"""What `lute-sim lint-dag` says of DAG files."""
