#!/usr/bin/env bash
# Sourced by the scripts that need Python: sets PYTHON to an interpreter with the toolkit.
#   use_environment [EXTRA]   installs the toolkit with an extra ('test', 'dev') if it is missing
# An active virtual or conda environment is used as it is; otherwise .venv is made here.
# PYTHON_BASE=python3.12   interpreter that makes .venv
# TORCH='torch==2.13.0'    what pip installs where torch is missing (default: the CPU build)
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TORCH_VERSION=2.13.0
# Threads that wait by spinning slow each other down where other programs use the cores too.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"

use_environment() {
    local extra="${1:-}"
    if [ -n "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ]; then
        PYTHON="$(command -v python)"
    else
        PYTHON="$ROOT/.venv/bin/python"
        if [ ! -x "$PYTHON" ]; then
            "${PYTHON_BASE:-python3}" -m venv "$ROOT/.venv" || {
                echo "cannot make $ROOT/.venv: on Debian, apt-get install python3-venv" >&2
                return 1
            }
        fi
    fi
    "$PYTHON" -c 'import importlib.util, sys; sys.exit(not importlib.util.find_spec("torch"))' ||
        install_torch || return 1
    # A stamp for each extra records what was installed, so that pip runs after changes only.
    local stamp
    stamp="$("$PYTHON" -c 'import sys; print(sys.prefix)')/.mmseg-ascend-${extra:-core}"
    if ! cmp -s "$stamp" <(environment_state); then
        "$PYTHON" -m pip install --quiet -e "$ROOT${extra:+[$extra]}" || return 1
        environment_state >"$stamp"
    fi
}

environment_state() {
    echo "$ROOT"
    cat "$ROOT/pyproject.toml" "$ROOT/requirements.txt" "$ROOT/setup.py"
}

install_torch() {
    if [ -n "${TORCH:-}" ]; then
        "$PYTHON" -m pip install --quiet "$TORCH"
        return
    fi
    # '+cpu' names the build without CUDA libraries: 200 MB instead of gigabytes. It is taken from
    # the configured index where that has it, and from PyTorch's own index elsewhere.
    "$PYTHON" -m pip install --quiet "torch==$TORCH_VERSION+cpu" 2>/dev/null ||
        "$PYTHON" -m pip install --quiet "torch==$TORCH_VERSION+cpu" \
            --extra-index-url https://download.pytorch.org/whl/cpu
}
