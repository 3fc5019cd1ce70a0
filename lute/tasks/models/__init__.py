"""The parameters of all Tasks, one model per Task, and what may be said of each parameter."""
