#!/usr/bin/env bash
# SwanLab 0.10.3 and MLflow 3.17.2 take numbers from Python's own generator: `import swanlab`,
# `swanlab.init` even with name and id, and `mlflow.start_run` without a name. A program that calls
# random.seed first, as a training does, gets other numbers after them: with a tracker it augments
# its images otherwise than without. wandb 0.31.0 leaves the generator alone.
#
# Besides, `import mlflow.pytorch` calls logging.basicConfig: the root logger gets a handler, and
# each line of a logger that has its own is written twice from then on.
#
# Output:
#   import wandb: same
#   wandb.init: same
#   import swanlab: other
#   swanlab.init: other
#   mlflow.start_run with a name: same
#   mlflow.start_run: other
#   handlers of the root logger: 0, after import mlflow.pytorch 1
#
# Fails when this changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"  # so that Python finds no package of this folder
python3 -m venv "$folder/venv"
index=https://download.pytorch.org/whl/cpu
"$folder/venv/bin/pip" install --quiet --retries 1 wandb==0.31.0 swanlab==0.10.3 mlflow==3.17.2
"$folder/venv/bin/pip" install --quiet --retries 1 torch==2.13.0+cpu --extra-index-url "$index"
"$folder/venv/bin/python" - > output 2> errors <<'PYTHON' || { cat errors; exit 1; }
import logging
import random


def tell(what, expected):
    found = 'same' if random.random() == FIRST else 'other'
    random.seed(0)
    print(f'{what}: {found}')
    assert found == expected, what


random.seed(0)
FIRST = random.random()
random.seed(0)
import wandb
tell('import wandb', 'same')
run = wandb.init(mode='offline', project='p', settings=wandb.Settings(silent=True))
tell('wandb.init', 'same')
run.finish()
random.seed(0)
import swanlab
tell('import swanlab', 'other')
swanlab.init(mode='offline', project='p', name='n', id='abc')
tell('swanlab.init', 'other')
swanlab.finish()
import mlflow
random.seed(0)
mlflow.start_run(run_name='n')
tell('mlflow.start_run with a name', 'same')
mlflow.end_run()
random.seed(0)
mlflow.start_run()
tell('mlflow.start_run', 'other')
mlflow.end_run()
before = len(logging.getLogger().handlers)
import mlflow.pytorch
after = len(logging.getLogger().handlers)
print(f'handlers of the root logger: {before}, after import mlflow.pytorch {after}')
assert (before, after) == (0, 1)
PYTHON
grep -E ': (same|other)$|^handlers' output
