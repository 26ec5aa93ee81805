"""The process of this toolkit: started as its commands are, it answers the benchmark's requests."""
import sys

from mmseg.apis.bootstrap import run_command

from .checkpoint import CheckpointCase
from .evaluation import EvaluationCase
from .harness import serve
from .infer import InferCase
from .pipeline import PipelineCase
from .startup import StartupCase
from .train import TrainCase

CASES = {'train': TrainCase, 'infer': InferCase, 'pipeline': PipelineCase, 'eval': EvaluationCase,
         'startup': StartupCase, 'checkpoint': CheckpointCase}

if __name__ == '__main__':
    sys.exit(run_command(lambda: serve(CASES)))
