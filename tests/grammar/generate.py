"""Write the vector files and the tables of the specification: `python tests/grammar/generate.py`.

Tests compare what is in `grammar/` with what this would write.
"""

from __future__ import annotations

from topics.files import FOLDER, files
from topics.specification import SPEC, filled


def main() -> None:
    """Write what differs; remove vector files without a topic."""
    wanted = files()
    for path in set(FOLDER.glob("*.json")) - set(wanted):
        path.unlink()
    for path, content in wanted.items():
        path.write_text(content, encoding="utf-8")
    SPEC.write_text(filled(SPEC.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
