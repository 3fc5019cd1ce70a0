"""One page about an SFX run: its frames, its indexing, its figures of merit, its steps."""
