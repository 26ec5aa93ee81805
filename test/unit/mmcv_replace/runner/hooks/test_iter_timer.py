import pytest

from mmcv_replace.runner import Hook, IterTimerHook
from mmcv_replace.runner.hooks import iter_timer


class Clock:
    """Stands for time.perf_counter, and moves when it is told."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += seconds


class SlowLoader:
    """Waits before each batch."""

    dataset = range(4)
    sampler = None

    def __init__(self, loader, clock):
        self.loader, self.clock = loader, clock

    def __len__(self):
        return len(self.loader)

    def __iter__(self):
        for batch in self.loader:
            self.clock.move(0.02)
            yield batch


@pytest.mark.parametrize('by_epoch', [False, True])
def test_times(make_runner, make_loader, by_epoch, monkeypatch):
    """An iteration waits 20 ms for data and 30 ms in a hook; the last hook is not its time."""
    history, clock = {}, Clock()
    monkeypatch.setattr('time.perf_counter', clock)

    class Sleep(Hook):
        def __init__(self, seconds):
            self.seconds = seconds

        def after_train_iter(self, runner):
            clock.move(self.seconds)
            history.update({key: list(values)
                            for key, values in runner.log_buffer.val_history.items()})

    runner = make_runner(by_epoch, **{'max_epochs' if by_epoch else 'max_iters': 2})
    runner.log_buffer.window = 10
    runner.register_hook(Sleep(0.03), 'NORMAL')
    runner.register_hook(IterTimerHook(), 'LOW')
    runner.register_hook(Sleep(0.5), 'VERY_LOW')
    runner.run([SlowLoader(make_loader(length=2), clock)], [('train', 1)])
    assert history['data_time'] == pytest.approx([0.02, 0.02])
    assert history['time'] == pytest.approx([0.05, 0.05])
    assert history['fps'] == pytest.approx([2 / 0.05] * 2)


def test_throughput_is_samples_by_time_without_the_first_iterations(
        make_runner, make_loader, monkeypatch):
    """The clock jumps by `steps` between the two readings of an iteration; 2 samples in each."""
    monkeypatch.setattr(iter_timer, 'get_dist_info', lambda: (0, 4))
    steps = iter([100.0] * iter_timer.WARMUP_ITERS + [1.0, 3.0])
    now = [0.0]

    class Advance(Hook):
        def after_train_iter(self, runner):
            now[0] += next(steps)

    runner = make_runner(max_iters=iter_timer.WARMUP_ITERS + 2)
    runner.log_buffer.window = 100
    runner.register_hook(Advance())
    timer = IterTimerHook()
    runner.register_hook(timer, 'LOW')
    monkeypatch.setattr(iter_timer.time, 'perf_counter', lambda: now[0])
    runner.run([make_loader(length=8)], [('train', 1)])
    runner.log_buffer.average()
    assert runner.log_buffer.output['fps'] == pytest.approx(4 * (2 + 2) / (1 + 3), rel=1e-3)
    assert runner.log_buffer.output['time'] == pytest.approx((5 * 100 + 4) / 7)
