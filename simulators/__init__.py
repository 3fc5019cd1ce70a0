"""The simulated facility: shipped with LUTE, so that a workflow can be tried without a site."""
