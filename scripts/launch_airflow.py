#!/usr/bin/env python3
"""Launch a LUTE workflow and stay until it has ended."""

import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the launcher has begun: Ctrl-C just ends it
SCRIPTS = Path(__file__).resolve().parent
sys.path.insert(0, str(SCRIPTS.parent))

try:
    from lute.launch.main import main
except ModuleNotFoundError as error:
    sys.exit(
        f"launch_airflow.py: error: {sys.executable} has no module {error.name}\n"
        "  next: run it with a Python that has LUTE's dependencies (pip install the clone)"
    )

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], scripts=SCRIPTS))
