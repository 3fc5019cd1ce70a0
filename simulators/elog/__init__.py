"""The simulated eLog, as far as LUTE needs it.

`state` holds experiments with their runs, workflow definitions and workflow jobs, `service` turns a request
into a reply, `server` puts the service on the network of the virtual world. Routes, messages, status codes
and content types are known from the eLog's public sources (explgbk of June 2026) where nothing else is said.
"""
