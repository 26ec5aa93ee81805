#!/usr/bin/env bash
# Environment of an Ascend NPU job:  source env_npu.sh
# The launch scripts source it themselves for an NPU. A variable that is set already, even to
# nothing, keeps its value; without CANN only the variables below are set, and nothing fails.

# CANN: compiler, operator library, HCCL. torch_npu cannot be imported without its paths.
_source_cann() {
    local folder flags="$-"
    case ":${LD_LIBRARY_PATH:-}:" in
        *":${ASCEND_TOOLKIT_HOME:-none}/lib64:"*) return 0 ;; # sourced before
    esac
    for folder in ${ASCEND_TOOLKIT_HOME:+"$ASCEND_TOOLKIT_HOME" "$ASCEND_TOOLKIT_HOME/.."} \
        {/usr/local,"${HOME:-}"}/Ascend/{ascend-toolkit,cann}; do
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
# threads. Not together with taskset.
export CPU_AFFINITY_CONF="${CPU_AFFINITY_CONF-2}"
# Copy a non-contiguous tensor with one merged kernel instead of several.
export COMBINED_ENABLE="${COMBINED_ENABLE-1}"

# --- Memory --------------------------------------------------------------------------------------
# Let memory segments grow: less fragmentation, fewer "out of memory" with room left.
export PYTORCH_NPU_ALLOC_CONF="${PYTORCH_NPU_ALLOC_CONF-expandable_segments:True}"
# Prepared operators kept on the host, one for each shape. Evaluation meets many image sizes: with
# the default of 10000 it would prepare the same ones again and again.
export ACLNN_CACHE_LIMIT="${ACLNN_CACHE_LIMIT-100000}"

# --- Communication (HCCL) ------------------------------------------------------------------------
# Seconds to wait for the other ranks to connect (default 120). The first rank may still be
# downloading weights, or compile operators, when the others are ready.
export HCCL_CONNECT_TIMEOUT="${HCCL_CONNECT_TIMEOUT-1200}"
# Seconds that ranks may drift apart between two collectives (the default is 1800 as well): an
# evaluation has to fit in.
export HCCL_EXEC_TIMEOUT="${HCCL_EXEC_TIMEOUT-1800}"
# 1: any host that knows the address may join; 0: only those of a whitelist file.
export HCCL_WHITELIST_DISABLE="${HCCL_WHITELIST_DISABLE-1}"
# HCCL_IF_IP, the address of this host for HCCL, is set by the launch scripts from --local_addr.
# ASCEND_RT_VISIBLE_DEVICES=4,5,6,7 hides the other NPUs; those that are left count from 0.
