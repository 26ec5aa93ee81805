"""The process of this toolkit: started as its commands are, it answers the benchmark's requests."""
import sys

from mmseg.apis.benchmark.checkpoint import CheckpointCase
from mmseg.apis.benchmark.evaluation import EvaluationCase
from mmseg.apis.benchmark.harness import serve
from mmseg.apis.benchmark.infer import InferCase
from mmseg.apis.benchmark.pipeline import PipelineCase
from mmseg.apis.benchmark.startup import StartupCase
from mmseg.apis.benchmark.train import TrainCase
from mmseg.apis.bootstrap import run_command

CASES = {'train': TrainCase, 'infer': InferCase, 'pipeline': PipelineCase, 'eval': EvaluationCase,
         'startup': StartupCase, 'checkpoint': CheckpointCase}

if __name__ == '__main__':
    sys.exit(run_command(lambda: serve(CASES)))
