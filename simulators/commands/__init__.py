"""The commands of `lute-sim` that work in the virtual world."""
