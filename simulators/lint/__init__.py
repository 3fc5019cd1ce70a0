"""What in a DAG file is old, wrong or unknown: `lute-sim lint-dag`."""
