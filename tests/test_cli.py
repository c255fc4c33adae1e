import copy
import importlib.metadata
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streamtally import Cost, StreamRecord, cli
from streamtally.pricing import UNITS, ModelCatalog, snapshot
from streamtally.testing import scenarios
from streamtally.testing.scenarios import Call
from tests.waiting import PATIENCE, run_python, started

PROGRAM = [sys.executable, "-c", "from streamtally.cli import main; main()"]
INTERRUPTIBLE = [
    sys.executable,
    "-c",
    # A shell that runs the tests in the background has its children ignore Ctrl-C, and Python leaves that as it is.
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from streamtally.cli import main; main()",
]
QUICK = ("demo", "--pace", "0.15")


def run(*arguments: str, stdin: bytes | None = None, columns: int = 80) -> Result:
    """What the program does with these arguments."""
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(cli.program(), arguments, input=stdin)


def fields(output: str) -> dict[str, str]:
    """A summary as it was meant."""
    return {line[:11].strip(): line[11:] for line in output.splitlines()}


@pytest.fixture
def weather(tmp_path: Path) -> Path:
    """A recorded body with two tool calls."""
    calls = (Call("get_weather", '{"city": "Oslo"}'), Call("get_time", '{"zone": "CET"}'))
    path = tmp_path / "weather.sse"
    path.write_bytes(scenarios.chat(tool_calls=calls, model="gpt-4o").body)
    return path


def test_replay_sums_a_recording_up(weather: Path) -> None:
    """The summary shows outcome, model, content, usage and cost."""
    result = run("replay", str(weather), "--dialect", "openai.chat")
    assert result.exit_code == 0
    assert fields(result.output) == {
        "outcome": "completed",
        "model": "gpt-4o",
        "stream": "chat.completion, openai.chat, 10 chunks",
        "tool call": 'get_time({"zone": "CET"})',
        "usage": "9 tokens in, 6 out",
        "cost": "$0.0000825 (gpt-4o of openai, first party: exact)",
        "finish": "tool_calls",
    }
    assert 'get_weather({"city": "Oslo"})' in result.output


def test_replay_gives_the_record_as_json(weather: Path) -> None:
    """`--json` is the record itself, which reads back."""
    result = run("replay", str(weather), "--dialect", "openai.chat", "--json")
    record = StreamRecord.model_validate_json(result.output)
    assert [call.name for call in record.tool_calls] == ["get_weather", "get_time"]


def test_replay_reads_standard_input_and_tells_the_dialect() -> None:
    """`-` is standard input; without `--dialect` the dialect is detected from the body."""
    result = run("replay", "-", stdin=scenarios.chat("Good morning.").body)
    assert fields(result.output)["text"] == "13 characters: Good morning."


def test_replay_takes_the_model_and_the_provider_from_the_caller() -> None:
    """A body of speech names neither; the price needs them."""
    body = scenarios.speech(sse=True).body
    named = run("replay", "-", "--dialect", "openai.speech", "--model", "gpt-4o-mini-tts", "--provider", "openai", stdin=body)
    assert fields(named.output)["cost"].endswith("(gpt-4o-mini-tts of openai, exact)")
    nameless = run("replay", "-", "--dialect", "openai.speech", stdin=body)
    assert fields(nameless.output)["cost"] == "unknown (unknown_model)"
    assert fields(nameless.output)["audio"] == "3336 bytes"


def test_replay_says_what_went_wrong_and_what_is_not_whole() -> None:
    """An error inside the stream, a reasoning, and a call that was cut short."""
    call = Call("get_weather", '{"city": "Oslo"}')
    body = scenarios.chat(reasoning="Hm.", tool_calls=[call]).failing(4, "Too\x1b[31m much.").body
    shown = fields(run("replay", "-", stdin=body).output)
    assert shown["outcome"] == "error"
    assert shown["reasoning"] == "3 characters: Hm."
    assert shown["tool call"] == 'get_weather({"city":) (not whole)'
    assert shown["error"] == "server_error: Too [31m much."
    assert shown["usage"] == "no usage"


def test_replay_shows_images() -> None:
    """How large each is, and how many previews came before it."""
    result = run("replay", "-", "--dialect", "openai.images", stdin=scenarios.images(partials=2).body)
    assert re.fullmatch(r"\d+ bytes, after 2 previews", fields(result.output)["image"])


def test_an_unknown_dialect_is_named_with_those_that_are_known(weather: Path) -> None:
    """It cannot be carried out: exit code 2."""
    result = run("replay", str(weather), "--dialect", "klingon")
    assert result.exit_code == 2
    assert "unknown dialect 'klingon'; known: " in result.stderr
    assert "openai.chat" in result.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """It cannot be carried out: exit code 2."""
    result = run("replay", str(tmp_path / "nowhere.sse"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"streamtally: {tmp_path / 'nowhere.sse'} cannot be read: No such file or directory\n"


def test_price_breaks_a_cost_down() -> None:
    """A line for each unit, the sum, and which row of the catalog it was."""
    result = run("price", "gpt-4.1-mini", "--input", "1000", "--output", "500", "--cached", "200")
    assert result.exit_code == 0
    lines = [line.split() for line in result.output.splitlines()]
    assert lines[0] == ["input", "800", "×", "$0.4", "per", "million", "tokens", "$0.00032"]
    assert lines[1] == ["cache_read", "200", "×", "$0.1", "per", "million", "tokens", "$0.00002"]
    assert lines[2] == ["output", "500", "×", "$1.6", "per", "million", "tokens", "$0.0008"]
    assert lines[3] == ["total", "$0.00114"]
    assert lines[4][:3] == ["gpt-4.1-mini", "of", "openai"]


def test_price_goes_by_the_provider() -> None:
    """A model is listed once for each provider that serves it."""
    model = ("price", "claude-3-5-haiku-20241022", "--input", "1000", "--output", "0")
    assert " of anthropic (" in run(*model).output
    assert " of aws (" in run(*model, "--provider", "aws").output


def test_the_price_of_an_unknown_model_is_unknown() -> None:
    """It is not 0: exit code 1, and the status."""
    result = run("price", "aurora-9", "--input", "10", "--output", "10")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "aurora-9: unknown (unknown_model)" in result.stderr


def test_more_from_the_cache_than_there_is_input_is_refused() -> None:
    """Input includes what is read from the cache."""
    result = run("price", "gpt-4o", "--input", "10", "--output", "10", "--cached", "11")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--input includes what comes from a cache" in result.stderr


def test_price_knows_tiers_regions_dates_and_tools() -> None:
    """Every condition of a price has an option, and the rows that apply are named."""
    fast = ("--tier", "fast", "--region", "us", "--searches", "2", "--at", "2026-11-02T03:00:00Z")
    shown = run("price", "claude-opus-4-8", "--input", "1000000", "--output", "0", *fast)
    lines = [line.split() for line in shown.output.splitlines()]
    assert lines[0] == ["input", "1000000", "×", "$11", "per", "million", "tokens", "$11"]
    assert lines[1] == ["web_searches", "2", "×", "$10", "per", "thousand", "searches", "$0.02"]
    assert lines[2] == ["total", "$11.02"]
    assert lines[4] == ["rows:", "standard;", "region", "us,", "tier", "fast"]
    assert lines[5][0] == "revision"


def test_every_unit_has_an_option() -> None:
    """What can be counted can be priced: seconds, images of a quality, pages, …"""
    assert "$0.36 per hour" in run("price", "whisper-1", "--seconds", "12.5").output
    assert "$0.167 per image" in run("price", "gpt-image-1", "--images", "1", "--quality", "high", "--size", "1024x1024").output
    options = run("price", "--help", columns=200).output
    for unit in UNITS.values():
        assert not unit.field or f"--{unit.field.removesuffix('_tokens').replace('_', '-')} " in options.replace(",", " ")


def test_price_with_rates_of_ones_own() -> None:
    """On the command line, or in a file; as JSON it is the cost itself."""
    result = run("price", "my-model", "--input", "1000000", "--output", "1000000", "--rates", "input=0.5,output=1", "--json")
    cost = Cost.model_validate_json(result.output)
    assert (cost.usd, cost.match_rule) == (Decimal("1.5"), "call: exact")


def test_price_with_a_file_of_ones_own(tmp_path: Path) -> None:
    """Rates for a model, at a provider that the catalog does not know, and a discount that has a line."""
    path = tmp_path / "own.toml"
    path.write_text(
        '[[override]]\nmodel = "mine"\nprovider = "cellar"\nrates = {input = "2"}\n'
        '[[discount]]\nname = "agreement"\npercent = -10\n'
    )
    shown = run("price", "mine", "--provider", "cellar", "--input", "1000000", "--catalog", str(path))
    assert shown.exit_code == 0, shown.output
    lines = [line.split() for line in shown.output.splitlines()]
    assert lines[1] == ["discount", "-10%", "of", "$2", "$-0.2", "agreement"]
    assert lines[2] == ["total", "$1.8"]
    path.write_text("[[override]]\n")
    assert run("price", "mine", "--input", "1", "--catalog", str(path)).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("gpt-4o",), "nothing to price"),
        (("gpt-4o", "--quality", "high"), "nothing to price"),
        (("gpt-4o", "--input", "1", "--provider", "nobody"), "no provider 'nobody' in the prices of"),
        (("gpt-4o", "--input", "1", "--at", "yesterday"), "yesterday"),
        (("gpt-4o", "--input", "1", "--rates", "input"), "a rate is written as unit=rate"),
        (("gpt-4o", "--input", "1", "--rates", "wine=3"), "unknown unit 'wine'"),
        (("gpt-4o", "--input", "1", "--catalog", "/nowhere/prices.json.gz"), "cannot read the catalog"),
    ],
)
def test_what_cannot_be_priced_is_refused(arguments: tuple[str, ...], why: str) -> None:
    """With exit code 2, and without a traceback."""
    result = run("price", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert why in result.stderr


def test_a_tier_without_rates_is_unknown() -> None:
    """It is never the standard price: exit code 1, and what is missing."""
    result = run("price", "gpt-4o", "--input", "1", "--provider", "openai", "--tier", "sublime")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "gpt-4o at openai: unknown (missing_rate)" in result.stderr
    assert result.stderr.strip().endswith("no rate for tier:sublime")


# The catalog


@pytest.fixture(autouse=True)
def _no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was fetched on this machine before is out of sight."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))


def changed(path: Path, **rates: str) -> Path:
    """The bundled catalog with another price of gpt-4o, as a file."""
    content = copy.deepcopy(snapshot.bundled())
    content["providers"]["openai"]["models"]["gpt-4o"]["rows"].append({"rates": rates})
    path.write_bytes(snapshot.pack({**content, "generated_at": "2999-01-01"}))
    return path


def test_catalog_info() -> None:
    """Which prices, how old, where from, how many; all of it also as JSON."""
    shown = run("catalog", "info")
    facts = json.loads(run("catalog", "info", "--json").output)
    bundled = ModelCatalog.bundled()
    assert facts["revision"] == bundled.revision
    assert (facts["models"], facts["disputed"]) == (len(bundled), len(bundled.disputed()))
    assert sum(facts["providers"].values()) == len(bundled)
    assert facts["generated_at"] in shown.output
    assert f"({facts['age_days']} days old)" in shown.output
    assert f"openai {facts['providers']['openai']}" in re.sub(r" +", " ", shown.output)


def test_catalog_list() -> None:
    """Names with their plain prices, of one provider or with a text in them."""
    lines = [line.split() for line in run("catalog", "list", "open-ai", "--match", "GPT-4.1-m").output.splitlines()]
    assert ["openai", "gpt-4.1-mini", "$0.4", "$1.6"] in lines
    assert all("gpt-4.1-m" in line[1] for line in lines)
    listed = json.loads(run("catalog", "list", "openai", "--json").output)
    assert {"provider": "openai", "model": "gpt-4.1-mini", "input": "0.4", "output": "1.6"} in listed
    assert len(run("catalog", "list").output.splitlines()) == len(ModelCatalog.bundled())
    assert run("catalog", "list", "nobody").exit_code == 2


def test_catalog_diff(tmp_path: Path) -> None:
    """From the bundled prices to a file, or from one file to another."""
    path = changed(tmp_path / "new.json.gz", input="99")
    assert "openai/gpt-4o: input 2.5 → 99" in run("catalog", "diff", str(path)).output
    both = json.loads(run("catalog", "diff", str(path), str(path), "--json").output)
    assert both["changes"] == []
    assert both["from"] == both["to"] != ModelCatalog.bundled().revision
    assert run("catalog", "diff").output.startswith("0 differences")
    assert run("catalog", "diff", str(tmp_path / "nowhere")).exit_code == 2


def test_catalog_refresh(tmp_path: Path) -> None:
    """The commands use what was fetched and kept; untrusted prices are rejected, and the exit code is 1."""
    path = changed(tmp_path / "new.json.gz", input="99")
    digest = sha256(path.read_bytes()).hexdigest()
    path.rename(tmp_path / f"prices-{digest}.json.gz")
    (tmp_path / "latest.json").write_text(json.dumps({"sha256": digest}))
    done = run("catalog", "refresh", str(tmp_path / "latest.json"))
    assert (done.exit_code, done.output.splitlines()[0]) == (0, "updated")
    assert "$99 per million tokens" in run("price", "gpt-4o", "--input", "1").output
    assert "2999-01-01" in run("catalog", "info").output
    result = run("catalog", "refresh", str(tmp_path / "nowhere.json"), "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)["outcome"] == "failed"
    assert "FileNotFoundError" in run("catalog", "refresh", str(tmp_path / "nowhere.json")).stderr


def test_the_package_is_a_program() -> None:
    """`python -m streamtally` is the same."""
    done = run_python("-m", "streamtally", "--version", check=True)
    assert done.stdout.strip() == importlib.metadata.version("streamtally")


def test_version() -> None:
    """`--version` is the version of the package, and needs no command."""
    assert run("--version").output.strip() == importlib.metadata.version("streamtally")


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_what_is_not_installed_is_named_with_its_extra(package: str) -> None:
    """Exit code 2, and what to install; not a traceback."""
    pretend = f"""
import sys
sys.modules[{package!r}] = None
sys.argv = ["streamtally", "demo"]
sys.stdout.isatty = lambda: True
from streamtally.cli import main
main()
"""
    done = run_python("-c", pretend)
    assert done.returncode == 2
    assert done.stderr == f"streamtally: {package} is not installed: pip install 'streamtally[cli]'\n"


def test_the_demo_prints_plain_lines_where_there_is_no_terminal() -> None:
    """All comparisons and streams, five metrics, the hint; no control codes; exit code 0."""
    result = run(*QUICK)
    assert result.exit_code == 0, result.output
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", result.output)
    assert result.output.count("| naive loop: ") == 5
    assert result.output.count("outcome: completed") == 6
    assert result.output.count("| outcome: ") == 10
    assert len(re.findall(r"^\w+\{.*,…\} [\d.e-]+$", result.output, re.MULTILINE)) == 5
    assert "with streamtally.wrap(" in result.output


def test_the_demo_draws_tables_in_a_terminal() -> None:
    """The tables are drawn again as they fill, and the screen is left in order: exit code 0."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
    with started([*PROGRAM, *QUICK], stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = _all_of(ours)
        process.wait(PATIENCE)
    assert process.returncode == 0, shown
    assert "\x1b[" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # the cursor is back
    assert shown.index("naive loop") < shown.index("gpt-4o-transcribe") < shown.index("streamtally_streams_total")


def test_the_demo_serves_its_metrics_until_it_is_interrupted() -> None:
    """`--serve` prints the address, and exits with 0 on Ctrl-C."""
    with started([*INTERRUPTIBLE, *QUICK, "--serve"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = next(found[1] for line in process.stdout if (found := re.search(r"stay at (\S+) until", line)))
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=PATIENCE) as response:
            scraped = response.read().decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert "streamtally_streams_total{" in scraped


def test_a_corpus_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    """It cannot be carried out: exit code 2."""
    result = run("demo", "--corpus", str(tmp_path / "nowhere"))
    assert result.exit_code == 2
    assert "is no folder" in result.stderr


def test_a_corpus_without_recordings_is_not_as_promised(tmp_path: Path) -> None:
    """Nothing was shown, so nothing is well: exit code 1."""
    result = run("demo", "--corpus", str(tmp_path))
    assert result.exit_code == 1
    assert "there are no recordings of openai.chat" in result.output


def _all_of(descriptor: int) -> str:
    """All that is written to a pseudo terminal until its other side is closed."""
    pieces = []
    try:
        while piece := os.read(descriptor, 65536):
            pieces.append(piece)
    except OSError:  # Linux raises it where other systems return an empty read
        pass
    finally:
        os.close(descriptor)
    return b"".join(pieces).decode()
