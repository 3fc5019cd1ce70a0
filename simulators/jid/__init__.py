"""The simulated job interface daemon (JID).

`state` holds what it knows, `service` turns a request into a reply, `routes` puts the service behind HTTP,
`host` is the batch host on which it runs executables and asks Slurm. What is known of the real JID and
what is assumed stands in docs/simulated.md.
"""
