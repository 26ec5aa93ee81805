import pytest

from mmseg.benchmark.rounds import interleave, speedup, summarize


def test_rounds_take_turns_and_warmup_is_left_out():
    calls = []

    def measure(name):
        calls.append(name)
        return len(calls)

    values = interleave(['a', 'b', 'c'], measure, rounds=2, warmup=1)
    assert ''.join(calls) == 'abcabcabc'
    assert values == [[4, 7], [5, 8], [6, 9]]


def test_median_and_spread():
    summary = summarize([3.0, 1.0, 10.0])
    assert (summary.median, summary.low, summary.high) == (3.0, 1.0, 10.0)
    assert summarize([1.0, 2.0]).median == 1.5


def test_speedup_is_the_ratio_of_medians():
    # The means, 4 and 5, would say 1.25.
    assert speedup([1.0, 2.0, 9.0], [3.0, 6.0, 6.0]) == pytest.approx(3.0)
