"""A hook for configs of tests: what each training iteration did on the simulated NPU."""
import json
from pathlib import Path

from torch_npu import simulation

from mmcv_replace.runner import HOOKS, Hook


@HOOKS.register_module()
class StepCountsHook(Hook):
    """Writes a list of `simulation.counters()`, one for each iteration, to the file.

    An iteration begins with its hooks and ends where those of the next begin, so it has the loading
    of the next batch in it.
    """

    def __init__(self, file):
        self.file = Path(file)
        self.steps = []

    def before_run(self, runner):
        simulation.reset()

    def before_train_iter(self, runner):
        if runner.iter > 0:
            self.steps.append(simulation.counters())
        simulation.reset()

    def after_run(self, runner):
        self.file.write_text(json.dumps(self.steps))
