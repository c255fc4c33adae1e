"""The scripts that check and release the package, each run in a repository of its own."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.file_lengths import too_long
from scripts.release import Refused, cut
from tests.waiting import run_python

ROOT = Path(__file__).parents[1]
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_{what}": "nobody@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def test_files_that_are_too_long_are_listed(tmp_path: Path) -> None:
    """Only files above 400 lines are listed, with their lengths."""
    (tmp_path / "long.py").write_text("x = 1\n" * 401)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "short.py").write_text("x = 1\n" * 400)
    assert too_long(tmp_path) == [f"{tmp_path / 'long.py'}: 401 lines, and 400 are the most"]
    done = run_python("-m", "scripts.file_lengths", str(tmp_path), cwd=ROOT)
    assert (done.returncode, done.stdout) == (1, f"{tmp_path / 'long.py'}: 401 lines, and 400 are the most\n")
    assert run_python("-m", "scripts.file_lengths", str(tmp_path / "inner"), cwd=ROOT).returncode == 0


CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\n- First.\n"


def test_the_changelog_is_cut() -> None:
    """The unreleased entries get a heading with version and date, and an empty Unreleased section stays above them."""
    after = cut(CHANGELOG, "0.2.0", "2026-02-03")
    assert after == CHANGELOG.replace("## [Unreleased]\n", "## [Unreleased]\n\n## [0.2.0] - 2026-02-03\n")
    with pytest.raises(Refused, match="Unreleased"):
        cut(after, "0.3.0", "2026-02-04")
    with pytest.raises(Refused, match="Unreleased"):
        cut("# Changelog\n", "0.3.0", "2026-02-04")


class Checkout:
    """A git repository with the package and the scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("streamtally", "scripts"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        shutil.copy(ROOT / ".gitignore", folder)
        (folder / "CHANGELOG.md").write_text(CHANGELOG)
        self.git("init", "--quiet")
        self.commit()

    def git(self, *arguments: str) -> str:
        """Run a git command, and return its output."""
        environment = {**os.environ, **GIT}
        command = ["git", *arguments]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=True).stdout

    def commit(self) -> None:
        """Commit all files."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "A change")

    def change(self, file: str, old: str, new: str) -> None:
        """Replace a text in a file."""
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def release(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the release script."""
        environment = {**os.environ, **GIT, "PYTHONDONTWRITEBYTECODE": "1"}
        return run_python("-m", "scripts.release", *arguments, env=environment, cwd=self.folder)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A new repository."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    return Checkout(tmp_path)


def test_a_first_release_and_the_next(checkout: Checkout) -> None:
    """A release writes version, changelog, commit and tag; the next lists removed, changed and added public names."""
    first = checkout.release("7.0.0", "--dry-run")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [
        "there is no release yet, so there is nothing to compare the public names with",
        "release 7.0.0: pyproject.toml, CHANGELOG.md, a commit, the tag v7.0.0 (dry run)",
    ]
    assert checkout.git("status", "--porcelain") == checkout.git("tag") == ""

    assert checkout.release("7.0.0").returncode == 0
    assert checkout.git("status", "--porcelain") == ""
    assert checkout.git("log", "-1", "--format=%s %D").startswith("Release 7.0.0 HEAD")
    assert checkout.git("describe") == "v7.0.0\n"
    assert '\nversion = "7.0.0"\n' in (checkout.folder / "pyproject.toml").read_text()
    assert re.search(
        r"^## \[Unreleased\]\n\n## \[7\.0\.0\] - \d{4}-\d\d-\d\d\n\n### Added",
        (checkout.folder / "CHANGELOG.md").read_text(),
        re.M,
    )

    checkout.change("CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n- Another thing.\n")
    checkout.change("streamtally/testing/clock.py", "def advance(self, seconds: float)", "def advance(self, by: float)")
    checkout.change("streamtally/testing/clock.py", "def time_ns(self)", "def wall_time_ns(self)")
    checkout.commit()
    assert checkout.release("7.1.0").stdout.splitlines()[:4] == [
        "- streamtally.testing.FakeClock.advance(self, seconds: 'float') -> 'None'",
        "+ streamtally.testing.FakeClock.advance(self, by: 'float') -> 'None'",
        "- streamtally.testing.FakeClock.time_ns(self) -> 'int'",
        "+ streamtally.testing.FakeClock.wall_time_ns(self) -> 'int'",
    ]
    assert checkout.git("tag") == "v7.0.0\nv7.1.0\n"
    assert checkout.git("worktree", "list").count("\n") == 1


def test_what_is_refused(checkout: Checkout) -> None:
    """A dirty tree, an invalid version, or one that is not newer is refused with a message, and nothing is changed."""
    assert checkout.release("7.0.0").returncode == 0
    for version, reason in {"7.0": "three numbers", "7.0.0": "no newer", "6.9.9": "no newer"}.items():
        done = checkout.release(version)
        assert done.returncode == 1
        assert reason in done.stderr
    checkout.change("CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n- Another thing.\n")
    done = checkout.release("8.0.0")
    assert (done.returncode, done.stdout) == (1, "")
    assert "dirty" in done.stderr
    assert "CHANGELOG.md" in done.stderr
    assert checkout.git("tag") == "v7.0.0\n"


def test_the_public_names_are_listed() -> None:
    """Functions have signatures, classes their methods and fields, and nothing differs between two processes."""
    lines = run_python("-m", "scripts.public_names", check=True, cwd=ROOT).stdout.splitlines()
    assert lines == sorted(set(lines))
    assert "streamtally.StreamRecord.outcome" in lines
    assert "streamtally.Outcome.COMPLETED" in lines
    assert any(line.startswith("streamtally.wrap(source") for line in lines)
    assert any(line.startswith("streamtally.Tally.add(self, request_id: 'str'") for line in lines)
    assert not any(" at 0x" in line or "model_dump" in line for line in lines)
