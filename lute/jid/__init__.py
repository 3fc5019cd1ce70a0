"""The job interface daemon (JID): its documents, its wire format and its client."""
