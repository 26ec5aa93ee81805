#!/usr/bin/env bash
# Sourced by the launch scripts of test/ (through pspnet_job.sh) and of tools/.
#   find_python; set_environment     sets PYTHON and the variables of a job
#   set_job TOOL ARGUMENT...         puts into `job` the command of nproc processes here
#   run_logged LOG COMMAND...        runs it; a failure ends the script and shows the end of the log
#   dist_start NPROC TOOL ARGUMENT...             all of tools/dist_*.sh
#   srun_start PARTITION NAME TOOL ARGUMENT...    all of tools/slurm_*.sh
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
LOG_LINES=60

device=auto nproc='' nnodes=1 node_rank=0 master_addr='' master_port='' dry_run=''

fail() {
    echo "error: $*" >&2
    exit 2
}

# The comment at the top of the script that was called.
header() {
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
}

show() {
    local line
    printf -v line '%q ' "$@"
    echo "${line% }"
}

# Run a command, or print it under --dry-run.
run() {
    if [ -n "$dry_run" ]; then show "$@"; else "$@"; fi
}

# check_number OPTION VALUE LOWEST
check_number() {
    [[ $2 =~ ^(0|[1-9][0-9]*)$ && $2 -ge $3 ]] || fail "$1=$2 is not a whole number from $3"
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        :
    elif [ -n "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ]; then
        PYTHON=python
    elif [ -x "$ROOT/.venv/bin/python" ]; then
        PYTHON="$ROOT/.venv/bin/python"
    else
        PYTHON=python3
    fi
    [ -z "$dry_run" ] || return 0
    local missing
    missing="$("$PYTHON" -c 'from importlib.util import find_spec
print(*[name for name in ("torch", "cv2") if find_spec(name) is None])')" ||
        fail "cannot run $PYTHON; PYTHON=/path/to/python names another interpreter"
    [ -z "$missing" ] ||
        fail "$PYTHON lacks ${missing// / and }: activate the environment of the toolkit, or make" \
            "one: bash test/quickstart.sh does, and so does pip install -e '$ROOT'"
}

set_environment() {
    run export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
    # The toolkit imports the plug-in of the device that it uses. If torch did so by itself, a
    # torch_npu without CANN would end jobs on the CPU too.
    run export TORCH_DEVICE_BACKEND_AUTOLOAD="${TORCH_DEVICE_BACKEND_AUTOLOAD:-0}"
    if uses_npu; then run . "$ROOT/env_npu.sh"; fi
}

uses_npu() {
    [[ ${device,,} = npu || ($device = auto && -e /dev/davinci_manager) ]]
}

set_job() {
    local tool="$ROOT/tools/$1"
    shift
    if [ $((nproc * nnodes)) = 1 ]; then
        job=("$PYTHON" "$tool" "$@")
        return
    fi
    # Without an address or port of the user's: a free port of this machine.
    local meeting=(--standalone --local_addr 127.0.0.1)
    if [ "$nnodes" -gt 1 ] || [ -n "$master_addr$master_port" ]; then
        meeting=(--nnodes "$nnodes" --node_rank "$node_rank"
            --master_addr "${master_addr:-127.0.0.1}" --master_port "${master_port:-29500}")
    fi
    job=("$PYTHON" -m torch.distributed.run --nproc_per_node "$nproc" "${meeting[@]}"
        "$tool" --launcher pytorch "$@")
    # What torchrun passes on to its processes; by default not the warning ahead of a time limit.
    run export PET_SIGNALS_TO_HANDLE="${PET_SIGNALS_TO_HANDLE:-SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1}"
    # The processes share the cores; by default each would take them all.
    local threads=$(($(getconf _NPROCESSORS_ONLN) / nproc))
    run export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$((threads > 0 ? threads : 1))}"
}

run_logged() {
    local log="$1" child code=0
    shift
    if [ -n "$dry_run" ]; then
        echo "$(show "$@") >$(printf %q "$log") 2>&1"
        return
    fi
    echo "log: $log"
    "$@" >"$log" 2>&1 &
    child=$!
    # Who ends this script ends the job: torchrun passes the signal on to its processes.
    trap 'kill "$child" 2>/dev/null || true' INT TERM
    wait "$child" || code=$?
    trap - INT TERM
    wait "$child" || true
    [ "$code" != 0 ] || return 0
    {
        echo "--- the last lines of $log"
        # torchrun's own frames say nothing of the failure.
        sed '/^  File "<frozen runpy>"/,/^    raise ChildFailedError/d' "$log" | tail -n "$LOG_LINES"
        echo "--- failed with exit code $code; all of it: $log"
    } >&2
    exit "$code"
}

# --- tools/*.sh ----------------------------------------------------------------------------------

# Put the arguments of a script, at least COUNT of them, into `arguments`; --dry-run apart.
take_arguments() {
    local count="$1" argument
    shift
    arguments=()
    for argument; do
        case "$argument" in
            -h | --help)
                header
                exit 0
                ;;
            --dry-run) dry_run=1 ;;
            *) arguments+=("$argument") ;;
        esac
    done
    if [ "${#arguments[@]}" -lt "$count" ]; then
        header >&2
        fail "$count arguments are needed, ${#arguments[@]} given"
    fi
}

# Become the job, so that signals and the exit code are its own; or print it.
finish() {
    if [ -n "$dry_run" ]; then show "$@"; else exec "$@"; fi
}

dist_start() {
    nproc="$1" nnodes="${NNODES:-1}" node_rank="${NODE_RANK:-0}"
    master_addr="${MASTER_ADDR:-${ADDR:-}}" master_port="${PORT:-}"
    shift
    check_number NPROC "$nproc" 1
    check_number NNODES "$nnodes" 1
    [ "$nnodes" = 1 ] || [ -n "$master_addr" ] || fail "NNODES=$nnodes needs MASTER_ADDR=IP too"
    find_python
    set_environment
    set_job "$@"
    finish "${job[@]}"
}

srun_start() {
    local partition="$1" name="$2" tool="$3" gpus="${GPUS:-4}"
    shift 3
    check_number GPUS "$gpus" 1
    local per_node="${GPUS_PER_NODE:-$((gpus < 4 ? gpus : 4))}"
    [ -n "$dry_run" ] || command -v srun >/dev/null ||
        fail "srun is not there: run this on a host of a slurm cluster, or use tools/dist_train.sh"
    find_python
    set_environment
    job=(srun -p "$partition" "--job-name=$name" "--gres=gpu:$per_node" "--ntasks=$gpus"
        "--ntasks-per-node=$per_node" "--cpus-per-task=${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1)
    # shellcheck disable=SC2206  # several arguments in one variable
    job+=(${SRUN_ARGS:-})
    job+=("$PYTHON" "$ROOT/tools/$tool" --launcher slurm "$@")
    finish "${job[@]}"
}
