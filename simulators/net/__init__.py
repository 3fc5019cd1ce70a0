"""The network of the virtual world: requests and replies as bytes, with faults; nothing listens."""
