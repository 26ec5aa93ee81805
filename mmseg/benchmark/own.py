"""The process of this toolkit: started as its commands are, it answers the benchmark's requests."""
import sys

from mmseg.apis.cli import run_command
from mmseg.benchmark.checkpoint import CheckpointCase
from mmseg.benchmark.evaluation import EvaluationCase
from mmseg.benchmark.harness import serve
from mmseg.benchmark.infer import InferCase
from mmseg.benchmark.large import LargeCase
from mmseg.benchmark.pipeline import PipelineCase
from mmseg.benchmark.predict import PredictCase
from mmseg.benchmark.startup import StartupCase
from mmseg.benchmark.train import TrainCase

CASES = {'train': TrainCase, 'infer': InferCase, 'pipeline': PipelineCase, 'eval': EvaluationCase,
         'startup': StartupCase, 'checkpoint': CheckpointCase, 'predict': PredictCase,
         'large': LargeCase}

if __name__ == '__main__':
    sys.exit(run_command(lambda: serve(CASES)))
