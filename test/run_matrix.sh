#!/usr/bin/env bash
# The tests under the ends of what is supported: Python, torch, OpenCV and the other dependencies.
#   bash test/run_matrix.sh                          test/unit in every cell of the table
#   bash test/run_matrix.sh --cell=oldest            in one of them (repeatable)
#   bash test/run_matrix.sh -- test/unit -k masks    with these pytest arguments
# Options: --cell=NAME  --list  --cache=DIR (environments and logs, gigabytes; by default
# ~/.cache/mmseg-ascend-matrix). A cell whose Python or torch cannot be had here is skipped, visibly.
# Exit code: 0 all that ran passed; 1 one failed, or none could run; 2 wrong arguments.
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# name  Python  torch  OpenCV  others; '*' is the newest that installs, 'least' the lowest accepted.
CELLS='oldest         3.10  2.6  4.8  least
oldest-torch   3.13  2.6  4.*  *
newest-torch   3.10  *    4.*  *
newest         3.13  *    *    *'

cache="${XDG_CACHE_HOME:-$HOME/.cache}/mmseg-ascend-matrix" wanted=() tests=(test/unit)
while [ $# -gt 0 ]; do
    case "$1" in
        --cell=*) wanted+=("${1#*=}") ;;
        --cache=*) cache="${1#*=}" ;;
        --list) echo "$CELLS"; exit 0 ;;
        -h | --help) sed -n '2,8s/^# //p' "$0"; exit 0 ;;
        --) shift; [ $# -eq 0 ] || tests=("$@"); break ;;
        *) echo "unknown option $1; see: bash test/run_matrix.sh --help" >&2; exit 2 ;;
    esac
    shift
done
for name in ${wanted[@]+"${wanted[@]}"}; do
    grep -q "^$name " <<<"$CELLS" || {
        echo "--cell=$name: there is no such cell; --list shows them" >&2
        exit 2
    }
done
mkdir -p "$cache"
cache="$(cd "$cache" && pwd)"

# Print an interpreter of the version: one of the PATH, or one of pyenv's, whose shims may name none.
find_python() {
    local candidate
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        if "$candidate" -c '' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# What requirements.txt accepts at the least, as constraints: 'numpy>=1.24' -> 'numpy==1.24.*'.
least() {
    sed -nE 's/^([A-Za-z][A-Za-z0-9_.-]*)>=([0-9.]+)$/\1==\2.*/p' "$ROOT/requirements.txt"
}

# pin PACKAGE VERSION: nothing for the newest.
pin() {
    case "$2" in
        '*') ;;
        *'*') echo "$1==$2" ;;
        *) echo "$1==$2.*" ;;
    esac
}

# run_cell NAME PYTHON TORCH OPENCV OTHERS: sets `outcome`; 0 passed, 1 failed, 2 skipped.
run_cell() {
    local name="$1" env="$cache/$1" log="$cache/$1.log" constraints="$cache/$1.txt" base
    : >"$log"
    base="$(find_python "$2")" || {
        outcome="skipped: there is no Python $2 here"
        return 2
    }
    [ -x "$env/bin/python" ] || "$base" -m venv "$env" >>"$log" 2>&1 || {
        rm -rf "$env"
        outcome="skipped: $base cannot make an environment (on Debian, apt-get install python$2-venv)"
        return 2
    }
    { if [ "$5" = least ]; then least | grep -v '^torch=\|^opencv'; fi
      pin torch "$3"
      pin opencv-python-headless "$4"; } >"$constraints"
    local pip=("$env/bin/python" -m pip install --quiet --upgrade --constraint "$constraints")
    # The second index has builds without CUDA libraries, which win where it can be reached.
    "${pip[@]}" --retries 1 --extra-index-url https://download.pytorch.org/whl/cpu torch \
        >>"$log" 2>&1 || {
        outcome="skipped: torch $3 cannot be installed for Python $2"
        return 2
    }
    "${pip[@]}" -e "${ROOT}[test]" >>"$log" 2>&1 || {
        outcome='FAILED to install the toolkit'
        return 1
    }
    "$env/bin/python" -m pip freeze --exclude-editable >>"$log" 2>&1
    local code=0
    # The scripts that tests start take the active environment.
    (cd "$ROOT" && unset CONDA_PREFIX && VIRTUAL_ENV="$env" PATH="$env/bin:$PATH" \
        OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" \
        "$env/bin/python" -m pytest -p no:cacheprovider "${tests[@]}") 2>&1 | tee -a "$log" || code=1
    outcome="$(tail -n 1 "$log" | tr -d '=' | sed 's/^ *//; s/ *$//')"
    [ $code -eq 0 ] || outcome="FAILED: $outcome"
    return $code
}

rows=() ran=0 failed=0
while read -r name python torch opencv others; do
    [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || continue
    printf '\n== %s: Python %s, torch %s, OpenCV %s, others %s (%s)\n' \
        "$name" "$python" "$torch" "$opencv" "$others" "$cache/$name.log"
    code=0
    run_cell "$name" "$python" "$torch" "$opencv" "$others" </dev/null || code=$?
    [ $code -eq 2 ] || ran=$((ran + 1))
    [ $code -ne 1 ] || failed=$((failed + 1))
    echo "$outcome"
    rows+=("$(printf '%-14s %-7s %-6s %-7s %-7s %s' \
        "$name" "$python" "$torch" "$opencv" "$others" "$outcome")")
done <<<"$CELLS"

printf '\n%-14s %-7s %-6s %-7s %-7s %s\n' cell Python torch OpenCV others outcome
printf '%s\n' "${rows[@]}"
if [ $ran -eq 0 ]; then
    echo 'no cell could run' >&2
    exit 1
fi
[ $failed -eq 0 ]
