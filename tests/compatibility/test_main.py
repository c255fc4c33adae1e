"""The command behind `make far`, without the installation of anything."""

import sys
from pathlib import Path
from typing import Any

import pytest

from compatibility import __main__ as command
from compatibility import environments
from compatibility.case import Row


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which environments and the page are made."""
    monkeypatch.setattr(environments, "_FOLDER", tmp_path / "environments")
    monkeypatch.setattr(command, "_PAGE", tmp_path / "page.md")
    (tmp_path / "page.md").touch()
    return tmp_path


def test_an_environment_that_cannot_be_made(nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """It is named in the table with the last line of what was said, and the command fails."""

    def fail(*_: str) -> None:
        environments_run(sys.executable, "-c", "import sys; sys.exit('no such release\\n')")

    environments_run = environments._run
    monkeypatch.setattr(environments, "_run", fail)
    assert command.main(["groq"]) == 1
    assert "| WRONG | cannot be installed: no such release |" in capsys.readouterr().out
    assert "| groq |" in (nowhere / "page.md").read_text(encoding="utf-8")


def test_an_environment_is_kept(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until its requirements change."""
    made: list[tuple[str, ...]] = []

    def make(*arguments: str) -> None:
        made.append(arguments)
        (nowhere / "environments" / "sdk").mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(environments, "_run", make)
    for version in ("1", "1", "2"):
        environments.python_of("sdk", Row("sdk", version, []))
    assert [arguments[-1] for arguments in made if "--editable" in arguments] == [str(environments.ROOT)] * 2
    assert sum("sdk==1" in arguments for arguments in made) == sum("sdk==2" in arguments for arguments in made) == 1


def test_nothing_leaves_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process gets a proxy that is not there for all other machines; a row may set variables of its own."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test")
    variables = environments.variables_of(Row("sdk", "1", [], variables={"A": "b"}))
    assert (variables["HTTPS_PROXY"], variables["NO_PROXY"], variables["A"]) == ("http://127.0.0.1:9", "127.0.0.1,localhost", "b")


def test_a_name_that_is_none(nowhere: Path) -> None:
    """It is refused before anything runs."""
    with pytest.raises(LookupError, match="no row is called 'grok'"):
        command.main(["grok"])
    assert not (nowhere / "environments").exists()
