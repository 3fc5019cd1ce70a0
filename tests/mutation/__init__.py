"""Whether the tests notice it when the code is wrong: see docs/mutation.md."""
