#!/usr/bin/env bash
# Environment of an Ascend NPU job:  source env_npu.sh
# The launch scripts source it themselves for an NPU. A variable that is set already, even to
# nothing, keeps its value; without CANN only the variables below are set, and nothing fails.

# CANN: compiler, operator library, HCCL. torch_npu cannot be imported without its paths.
_source_cann() {
    local folder flags="$-" home="${ASCEND_HOME_PATH:-${ASCEND_TOOLKIT_HOME:-}}"
    case ":${LD_LIBRARY_PATH:-}:" in
        *":${home:-none}/lib64:"*) return 0 ;; # sourced before
    esac
    # CANN 9.1 and later install to cann; an ascend-toolkit beside it is an older one.
    for folder in ${home:+"$home" "$home/.."} \
        {/usr/local,"${HOME:-}"}/Ascend/cann {/usr/local,"${HOME:-}"}/Ascend/ascend-toolkit; do
        if [ -f "$folder/set_env.sh" ]; then
            # It reads variables that may be unset and runs commands that may fail.
            set +eu
            # shellcheck source=/dev/null
            . "$folder/set_env.sh"
            case "$flags" in *e*) set -e ;; esac
            case "$flags" in *u*) set -u ;; esac
            return 0
        fi
    done
}
_source_cann
unset -f _source_cann

# --- Host side -----------------------------------------------------------------------------------
# 1 (torch_npu's default): kernels are queued by a thread of their own; 2: the work on their
# workspaces too. The fastest for a network of many small kernels, at some more peak memory.
export TASK_QUEUE_ENABLE="${TASK_QUEUE_ENABLE-2}"
# Bind the threads of each process to the cores next to its NPU: 1 by NUMA node, 2 also single
# threads; the loader's keep the rest. Not together with taskset. torch_npu takes the cores that a
# container leaves out for such a binding, and would not bind without force:1.
_limited() {
    local allowed
    # Without the variables nproc counts the cores that this shell may use.
    [ "$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)" -lt "$(getconf _NPROCESSORS_ONLN)" ] ||
        return 1
    allowed="$(grep -s Cpus_allowed_list /proc/self/status)" || return 1
    # Process 1 has the container's cores; with fewer than it, this shell was bound by someone.
    [ "$allowed" = "$(grep -s Cpus_allowed_list /proc/1/status)" ]
}
_affinity=2
! _limited 2>/dev/null || _affinity=2,force:1
# See above.
export CPU_AFFINITY_CONF="${CPU_AFFINITY_CONF-$_affinity}"
unset -v _affinity
unset -f _limited
# Copy a non-contiguous tensor with one merged kernel instead of several.
export COMBINED_ENABLE="${COMBINED_ENABLE-1}"

# --- Memory --------------------------------------------------------------------------------------
# Let memory segments grow: less fragmentation, fewer "out of memory" with room left. torch 2.10 and
# later have a name of their own for it, PYTORCH_ALLOC_CONF, and torch_npu stops where both are set:
# this one is known to every version, and gives way to the other where you have set that.
if [ -z "${PYTORCH_ALLOC_CONF+set}" ]; then
    # See above.
    export PYTORCH_NPU_ALLOC_CONF="${PYTORCH_NPU_ALLOC_CONF-expandable_segments:True}"
elif [ "${PYTORCH_NPU_ALLOC_CONF:-}" = expandable_segments:True ]; then
    unset PYTORCH_NPU_ALLOC_CONF # from an earlier reading of this file
fi
# Prepared operators kept on the host, one for each shape. Evaluation meets many image sizes: with
# the default of 10000 it would prepare the same ones again and again.
export ACLNN_CACHE_LIMIT="${ACLNN_CACHE_LIMIT-100000}"

# --- Communication (HCCL) ------------------------------------------------------------------------
# Seconds to wait for the other ranks to connect (default 120). The first rank may still be
# downloading weights, or compile operators, when the others are ready.
export HCCL_CONNECT_TIMEOUT="${HCCL_CONNECT_TIMEOUT-1200}"
# HCCL_EXEC_TIMEOUT, how long ranks may drift apart between two collectives (1836 s by default), and
# what has to be longer follow dist_params = dict(timeout=SECONDS) of the config.
# HCCL_IF_IP, the address of this host for HCCL, is set by the launch scripts from --local_addr.
# ASCEND_RT_VISIBLE_DEVICES=4,5,6,7 hides the other NPUs; those that are left count from 0.

# --- Messages ------------------------------------------------------------------------------------
# Errors of torch_npu in a few lines.
export TORCH_NPU_COMPACT_ERROR_OUTPUT="${TORCH_NPU_COMPACT_ERROR_OUTPUT-1}"
