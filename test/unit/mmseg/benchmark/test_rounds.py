from mmseg.benchmark.run import interleave


def test_rounds_take_turns_and_warmup_is_left_out():
    calls = []

    def measure(name):
        calls.append(name)
        return len(calls)

    values = interleave(['a', 'b', 'c'], measure, rounds=2, warmup=1)
    assert ''.join(calls) == 'abcabcabc'
    assert values == [[4, 7], [5, 8], [6, 9]]
