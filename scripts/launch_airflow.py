#!/usr/bin/env python3
"""Launch a LUTE workflow and stay until it has ended."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lute.launch.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
