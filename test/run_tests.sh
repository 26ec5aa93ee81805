#!/usr/bin/env bash
# The one test command: installs the test extra and runs the tests.
#   bash test/run_tests.sh [--run-slow] [pytest arguments]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
use_environment test
cd "$ROOT"
# One thread a process: the tests are small, and two-process tests share the cores.
OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" exec "$PYTHON" -m pytest "$@"
