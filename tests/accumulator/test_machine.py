"""Random actions upon an accumulator, compared with `Model`, a simple model made of sets and numbers."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from streamtally import Accumulator, Limits, Outcome, StreamRecord, UnknownRequest
from streamtally.accumulator import StreamHandle
from streamtally.testing.clock import FakeClock
from tests.accumulator.wire import DONE, CollectedRecords, finish_chunk, text_chunk

WORDS = ["one ", "two ", "three ", "four "]
PAYLOADS = [*map(text_chunk, WORDS), finish_chunk(), DONE]
FINISH, TERMINAL = len(WORDS), len(WORDS) + 1
IDLE = 10.0
REQUESTS = st.sampled_from(["a", "b", "c"])
INDICES = st.integers(0, TERMINAL)


@dataclass
class Model:
    """The expected state of one stream; each of several streams with the same request ID has its own."""

    got: set[int] = field(default_factory=set)
    users: int = 0
    active: int = 0
    outcome: Outcome | None = None
    late: int = 0
    is_remembered: bool = False

    @property
    def gaps(self) -> list[int]:
        """The positions that are missing."""
        return [index for index in range(max(self.got, default=0)) if index not in self.got]

    @property
    def is_whole(self) -> bool:
        """Whether all chunks have arrived."""
        return TERMINAL in self.got and not self.gaps

    def end(self, outcome: Outcome) -> None:
        """End the stream; its own finish reason takes precedence over the outcome given, unless that is an error."""
        has_content = bool(self.got - {TERMINAL})
        if outcome is Outcome.ERROR:
            self.outcome = outcome
        elif FINISH in self.got and not self.gaps:
            self.outcome = Outcome.COMPLETED
        elif outcome is Outcome.COMPLETED and (self.gaps or has_content):
            self.outcome = Outcome.TRUNCATED
        else:
            self.outcome = outcome
        self.is_remembered = True

    def check(self, record: StreamRecord) -> None:
        """Check that the record agrees with the model."""
        assert record.text == "".join(WORDS[index] for index in sorted(self.got) if index < FINISH)
        assert [index for start, stop in record.missing for index in range(start, stop)] == self.gaps
        assert record.highest_index == max(self.got, default=None)
        assert record.outcome == self.outcome
        assert record.late == self.late
        assert record.chunk_count == len(self.got)


class AccumulatorMachine(RuleBasedStateMachine):
    """Streams are opened, added to, merged, ended, discarded and swept in every order."""

    handles = Bundle("handles")

    @initialize()
    def start(self) -> None:
        self.clock = FakeClock()
        self.ended_records = CollectedRecords()
        self.accumulator = Accumulator(clock=self.clock, limits=Limits(idle_seconds=IDLE), on_end=self.ended_records)
        self.streams: dict[str, Model] = {}
        self.ended = 0
        self.late = 0

    def model_of(self, request: str) -> Model | None:
        """Return the model of the open stream with an ID, if there is one."""
        model = self.streams.get(request)
        return model if model is not None and model.outcome is None else None

    def end(self, model: Model, outcome: Outcome) -> None:
        model.end(outcome)
        self.ended += 1

    def arrived(self, request: str, indices: set[int]) -> Model:
        """Add chunks to the model: to the open stream, to a new one, or as late ones."""
        model = self.streams.setdefault(request, Model())
        if model.outcome is None:
            model.active = self.clock.monotonic_ns()
            model.got |= indices
        else:
            model.late += 1
            self.late += 1
        return model

    @rule(target=handles, request=REQUESTS)
    def open(self, request: str) -> tuple[StreamHandle, str, Model]:
        model = self.model_of(request)
        if model is None:
            model = self.streams[request] = Model(active=self.clock.monotonic_ns())
        model.users += 1
        return self.accumulator.open(request), request, model

    @rule(handle=consumes(handles))
    def close(self, handle: tuple[StreamHandle, str, Model]) -> None:
        stream, _, model = handle
        stream.close()
        stream.close()
        model.users -= 1
        if model.users <= 0:
            if model.outcome is None:
                self.end(model, Outcome.CANCELLED)
            model.is_remembered = False

    @rule(request=REQUESTS, index=INDICES)
    def add(self, request: str, index: int) -> None:
        was_open = request not in self.streams or self.model_of(request) is not None
        record = self.accumulator.add(request, PAYLOADS[index], index=index)
        model = self.arrived(request, {index})
        assert (record is not None) == (was_open and model.is_whole)
        if record is not None:
            self.end(model, Outcome.COMPLETED)
            model.check(record)

    @rule(request=REQUESTS, indices=st.sets(INDICES, max_size=TERMINAL))
    def merge(self, request: str, indices: set[int]) -> None:
        worker = Accumulator(clock=self.clock)
        worker.open(request)
        for index in indices:
            worker.add(request, PAYLOADS[index], index=index)
        record = self.accumulator.merge(request, worker.dump(request))
        was_open = request not in self.streams or self.model_of(request) is not None
        model = self.arrived(request, indices)
        assert (record is not None) == (was_open and model.is_whole)
        if record is not None:
            self.end(model, Outcome.COMPLETED)
            model.check(record)

    @rule(request=REQUESTS)
    def merge_with_itself(self, request: str) -> None:
        model = self.model_of(request)
        if model is None:
            with pytest.raises(UnknownRequest):
                self.accumulator.dump(request)
            return
        model.active = self.clock.monotonic_ns()
        assert self.accumulator.merge(request, self.accumulator.dump(request)) is None

    @rule(request=REQUESTS)
    def snapshot(self, request: str) -> None:
        model = self.streams.get(request)
        if model is None or not (model.outcome is None or model.is_remembered):
            with pytest.raises(UnknownRequest):
                self.accumulator.snapshot(request)
        else:
            model.check(self.accumulator.snapshot(request))

    @rule(request=REQUESTS, fails=st.booleans())
    def finish(self, request: str, fails: bool) -> None:
        def end() -> StreamRecord:
            return self.accumulator.fail(request, ValueError("broken")) if fails else self.accumulator.finish(request)

        model = self.streams.get(request)
        if model is None or not (model.outcome is None or model.is_remembered):
            with pytest.raises(UnknownRequest):
                end()
            return
        if model.outcome is None:
            self.end(model, Outcome.ERROR if fails else Outcome.COMPLETED)
        record = end()
        model.check(record)
        assert end() == record

    @rule(request=REQUESTS)
    def discard(self, request: str) -> None:
        self.accumulator.discard(request)
        self.accumulator.discard(request)
        if model := self.streams.get(request):
            if model.outcome is None:
                self.end(model, Outcome.ABANDONED)
            model.is_remembered = False

    @rule(seconds=st.sampled_from([1.0, 4.0, IDLE]))
    def sweep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        idle = {
            request: model
            for request in self.streams
            if (model := self.model_of(request)) and self.clock.monotonic_ns() - model.active >= IDLE * 1e9
        }
        swept = self.accumulator.sweep()
        assert {record.request_id for record in swept} == set(idle)
        for model in idle.values():
            self.end(model, Outcome.ABANDONED)
        for record in swept:
            idle[record.request_id].check(record)

    @invariant()
    def check_counts(self) -> None:
        is_open = {request for request in self.streams if self.model_of(request)}
        assert len(self.accumulator) == len(is_open)
        assert {request for request in "abc" if request in self.accumulator} == is_open
        assert len(self.ended_records) == self.ended
        assert self.accumulator.late == self.late

    def teardown(self) -> None:
        self.accumulator.close()
        assert len(self.accumulator) == 0
        assert len(self.ended_records) == self.ended + sum(model.outcome is None for model in self.streams.values())


TestAccumulator = AccumulatorMachine.TestCase
TestAccumulator.settings = settings(max_examples=150, stateful_step_count=40)
