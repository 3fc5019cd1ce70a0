"""The Automated Run Processor and the eLog: what starts a workflow and follows it."""
