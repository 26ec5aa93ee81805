#!/usr/bin/env bash
# The one test command: installs the test extra and runs the tests, a process for each core.
#   bash test/run_tests.sh [--run-slow] [-n PROCESSES] [pytest arguments]
# -n 0 runs all in one process, for a debugger. Without -n, test/conftest.py chooses the number.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
use_environment test
cd "$ROOT"
# One thread a process: the tests are small, and the processes share the cores.
OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" exec "$PYTHON" -m pytest -n auto --dist worksteal "$@"
