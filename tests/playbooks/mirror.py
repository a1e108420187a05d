"""The package repository where the controller of a lab stands, until stdin is closed: FOLDER ADDRESS PORT."""

import sys
from pathlib import Path

from lab.repository import start_repository

if __name__ == "__main__":
    folder, address, port = sys.argv[1:]
    server = start_repository(Path(folder), address, int(port))
    print("serving", flush=True)
    sys.stdin.read()
    server.terminate()
    server.wait()
