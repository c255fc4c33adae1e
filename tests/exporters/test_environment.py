"""The environment variables that the exporters read."""

import logging
from typing import Any

import pytest

from streamtally.exporters.environment import CAPTURE, EMIT_EVENT, STABILITY, capture_of, emits_event, semconv_of


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "1.41"),
        ("", "1.41"),
        ("http/dup,database", "1.41"),
        ("gen_ai_latest_experimental", "latest"),
        ("http , gen_ai_latest_experimental", "latest"),
    ],
)
def test_the_version_of_the_conventions(value: str | None, expected: str) -> None:
    """The list may have other items; the environment never selects "both"."""
    environ = {} if value is None else {STABILITY: value}
    assert semconv_of(None, environ) == expected
    assert semconv_of("both", environ) == "both"


def test_a_version_that_there_is_not() -> None:
    """The message lists the known versions."""
    unknown: Any = "1.40"
    with pytest.raises(ValueError, match=r"1\.41, latest, both"):
        semconv_of(unknown)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "NO_CONTENT"),
        ("no_content", "NO_CONTENT"),
        ("span_only", "SPAN_ONLY"),
        (" EVENT_ONLY ", "EVENT_ONLY"),
        ("Span_And_Event", "SPAN_AND_EVENT"),
        ("true", "SPAN_ONLY"),
        ("False", "NO_CONTENT"),
    ],
)
def test_where_content_goes(value: str, expected: str) -> None:
    """In upper or lower case, also the values of older versions; the argument has precedence."""
    assert capture_of(None, {CAPTURE: value}) == expected
    assert capture_of(False, {CAPTURE: value}) == "NO_CONTENT"
    assert capture_of(True, {CAPTURE: value}) == "SPAN_ONLY"
    assert capture_of("EVENT_ONLY", {CAPTURE: value}) == "EVENT_ONLY"
    assert capture_of(None, {}) == "NO_CONTENT"


def test_a_word_that_means_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """In the environment it is logged and means no content; as an argument it is an error."""
    with caplog.at_level(logging.WARNING):
        assert capture_of(None, {CAPTURE: "all of it"}) == "NO_CONTENT"
    assert CAPTURE in caplog.text
    unknown: Any = "all of it"
    with pytest.raises(ValueError, match="SPAN_AND_EVENT"):
        capture_of(unknown)


def test_whether_there_are_events() -> None:
    """If content is exported in events, unless the variable disables them."""
    assert [emits_event(mode, {}) for mode in ("NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT")] == [
        False,
        False,
        True,
        True,
    ]
    assert emits_event("NO_CONTENT", {EMIT_EVENT: "TRUE"})
    assert not emits_event("EVENT_ONLY", {EMIT_EVENT: "false"})
