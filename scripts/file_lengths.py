"""Name the Python files under a folder that have more than 400 lines; exit status 1 if there are any.

python -m scripts.file_lengths streamtally
"""

import sys
from pathlib import Path

MOST = 400


def too_long(folder: Path) -> list[str]:
    """A line for each file that is too long, with its length."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sorted(folder.rglob("*.py"))}
    return [f"{path}: {length} lines, and {MOST} are the most" for path, length in lengths.items() if length > MOST]


if __name__ == "__main__":
    found = too_long(Path(sys.argv[1]))
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(bool(found))
