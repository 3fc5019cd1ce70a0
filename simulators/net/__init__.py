"""The network of the virtual world: requests and replies as bytes, with latencies and faults; nothing listens."""
