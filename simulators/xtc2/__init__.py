"""Writing psana's own format, xtc2, by psana's `dgramedit`."""
