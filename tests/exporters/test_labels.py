"""The shared labels and their caps."""

import pytest

from streamtally.exporters import labels as labels_module
from streamtally.exporters.instruments import DURATION
from streamtally.exporters.labels import BASE_LABELS, OTHER, Base, Labels
from streamtally.exporters.measurements import Identity
from streamtally.records import StreamRecord
from tests.exporters.samples import record, started


def values(labels: Labels, one: StreamRecord) -> Base:
    """The values of the shared labels for a record."""
    return labels.of(Identity.of(one), one.attributes)


def models(labels: Labels, *names: str) -> list[object]:
    """The value of the model label for each of these names, in this order."""
    return [values(labels, record(requested_model=name, model=None))[2] for name in names]


def test_the_values_of_the_conventions_labels() -> None:
    """In the order of `BASE_LABELS`; unknown values are None."""
    assert values(Labels(), record()) == ("chat", "openai", "gpt-4o", "gpt-4o-2024-08-06", "api.openai.com", 443)
    assert values(Labels(), started(server_address=None, server_port=None)) == ("chat", "openai", "gpt-4o", None, None, None)


def test_the_first_names_keep_theirs_and_the_others_share_one() -> None:
    """A name within the cap keeps its value afterwards."""
    assert models(Labels(max_values=2), "a", "b", "c", "a", "d", "b") == ["a", "b", OTHER, "a", OTHER, "b"]


def test_a_known_model_is_kept_whatever_came_before() -> None:
    """Only unknown names count towards the cap."""
    labels = Labels(max_values=1, known_models={"gpt-4o", "gpt-5"}.__contains__)
    assert models(labels, "typo", "gpt-4o", "typo-2", "gpt-5") == ["typo", "gpt-4o", OTHER, "gpt-5"]


def test_declared_labels_are_read_from_the_attributes_and_capped() -> None:
    """Scalars become text; absent and structured values are None."""
    labels = Labels(["team", "route"], max_values=1)
    assert labels.names == (*BASE_LABELS, "team", "route")
    assert values(labels, record(attributes={"team": "a", "route": 7, "user": "u"}))[-2:] == ("a", "7")
    assert values(labels, record(attributes={"team": "b", "route": [1]}))[-2:] == (OTHER, None)


@pytest.mark.parametrize("declared", [["team", "team"], ["gen_ai.request.model"]])
def test_label_names_must_differ(declared: list[str]) -> None:
    """A duplicate, or the name of a shared label, is refused."""
    with pytest.raises(ValueError, match="must differ"):
        Labels(declared)


def test_combinations_are_capped_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of combinations is bounded; beyond the bound only known models keep their names."""
    monkeypatch.setattr(labels_module, "MAX_SERIES", 3)
    labels = Labels(["team"], known_models={"gpt-4o"}.__contains__)
    found = {values(labels, record(attributes={"team": str(number)})) for number in range(10)}
    assert len(found) == 4
    assert ("chat", OTHER, "gpt-4o", OTHER, OTHER, OTHER, OTHER) in found


def test_an_open_label_of_an_instrument_is_capped() -> None:
    """For example error types, whose values are not known in advance."""
    labels = Labels(max_values=2)
    found = [labels.own(DURATION, (word,)) for word in ("", "a", "b", "c")]
    assert found == [("",), ("a",), ("b",), (OTHER,)]


def test_half_a_surrogate_pair_is_replaced() -> None:
    """A lone surrogate in a label is replaced, because UTF-8 cannot encode it and every later scrape would fail."""
    assert models(Labels(), "gpt-\ud83d") == ["gpt-\ufffd"]


def test_known_models_do_not_count_and_are_bounded() -> None:
    """So the order in which workers see models has no effect; the number of known names is bounded as well."""
    unknown, known = [f"typo-{number}" for number in range(3)], [f"gpt-{number}" for number in range(50)]
    labels = Labels(max_values=3, known_models=lambda name: name.startswith("gpt"))
    assert models(labels, *known[:3], *unknown, *known, "typo-9") == [*known[:3], *unknown, *known, OTHER]
    assert labels.overflow == {"gen_ai.request.model": 1}
    found = set(models(labels, *(f"gpt-{number}" for number in range(3 * labels_module.MAX_SERIES))))
    assert len(found) <= labels_module.MAX_SERIES + 1


def test_the_catalog_is_used_only_once_a_cap_is_reached() -> None:
    """The first stream does not wait until the catalog is loaded."""
    asked: list[str] = []

    def known(name: str) -> bool:
        asked.append(name)
        return False

    labels = Labels(max_values=2, known_models=known)
    assert models(labels, "a", "b", "a") == ["a", "b", "a"]
    assert not asked
    assert models(labels, "c") == [OTHER]


def test_a_label_that_names_no_model_is_never_a_known_model() -> None:
    """A team may have the name of a model."""
    labels = Labels(["team"], max_values=1, known_models={"gpt-4o"}.__contains__)
    models(labels, "a", "b", "gpt-4o")
    assert values(labels, record(attributes={"team": "search"}))[-1] == "search"
    assert values(labels, record(attributes={"team": "gpt-4o"}))[-1] == OTHER


def test_no_mixture_of_labels_passes_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Combinations of known models are bounded too."""
    monkeypatch.setattr(labels_module, "MAX_SERIES", 10)
    labels = Labels(max_values=1, known_models=lambda _: True)
    found = {values(labels, record(requested_model=f"m{one}", model=f"m{two}")) for one in range(20) for two in range(20)}
    assert len(found) <= 21
    labels.after_fork()
    assert labels.overflow[labels_module.COMBINATION] > 0
