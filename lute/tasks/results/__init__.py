"""What the files that programs of others wrote have to show, and whether they are whole."""
