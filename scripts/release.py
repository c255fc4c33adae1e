"""Cut a release: the version into pyproject.toml, CHANGELOG's Unreleased under its heading, a commit and a tag.

python -m scripts.release 0.2.0 --dry-run   shows what changed in the public names, and what would be done
python -m scripts.release 0.2.0             does it; nothing is pushed

Refuses where the work tree is dirty, the version is no newer one, or nothing stands under Unreleased.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time

from . import public_names

ROOT = public_names.ROOT
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_DECLARED = re.compile(r'^version = "(.*)"$', re.MULTILINE)
_UNRELEASED = re.compile(r"^## \[Unreleased\]\n(.*?)(?=^## \[|\Z)", re.MULTILINE | re.DOTALL)


class Refused(Exception):
    """The release cannot be cut, and why."""


def main(arguments: list[str]) -> None:
    """Run with the arguments of the command line.

    Raises:
        SystemExit: with a message, where the release is refused.
    """
    parser = argparse.ArgumentParser(description="Cut a release: version, changelog, commit, tag. Nothing is pushed.")
    parser.add_argument("version", help="such as 0.2.0")
    parser.add_argument("--dry-run", action="store_true", help="change nothing")
    given = parser.parse_args(arguments)
    try:
        release(given.version, dry_run=given.dry_run)
    except Refused as refused:
        sys.exit(f"release: {refused}")


def release(version: str, *, dry_run: bool) -> None:
    """Make the release, or print what would be done.

    Raises:
        Refused: see the top of this file.
    """
    tag = public_names.last_release()
    _check(version, tag)
    project, changelog = ROOT / "pyproject.toml", ROOT / "CHANGELOG.md"
    texts = {
        project: _DECLARED.sub(f'version = "{version}"', project.read_text(encoding="utf-8"), count=1),
        changelog: cut(changelog.read_text(encoding="utf-8"), version, time.strftime("%Y-%m-%d", time.gmtime())),
    }
    public_names.main(["--compare"])
    print(f"release {version}: {project.name}, {changelog.name}, a commit, the tag v{version}{' (dry run)' * dry_run}")
    if dry_run:
        return
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    _git("commit", "--quiet", "--all", "--message", f"Release {version}")
    _git("tag", "--annotate", f"v{version}", "--message", f"streamtally {version}")


def cut(changelog: str, version: str, date: str) -> str:
    """The changelog with what stands under Unreleased under the heading of a version.

    Raises:
        Refused: nothing stands there.
    """
    found = _UNRELEASED.search(changelog)
    if found is None or not found[1].strip():
        raise Refused("nothing stands under Unreleased in CHANGELOG.md")
    start = found.start(1)
    return f"{changelog[:start]}\n## [{version}] - {date}\n{changelog[start:]}"


def _check(version: str, tag: str | None) -> None:
    if not _VERSION.fullmatch(version):
        raise Refused(f"a version has three numbers, as 0.2.0 does, and {version} has not")
    if tag and _numbers(version) <= _numbers(tag[1:]):
        raise Refused(f"{version} is no newer version than {tag}")
    if dirty := _git("status", "--porcelain"):
        raise Refused(f"the work tree is dirty:\n{dirty}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main(sys.argv[1:])
