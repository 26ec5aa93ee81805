#!/usr/bin/env bash
# Run a command, and exit with 138 where it exits with 75, "saved, start me again":
#   bash test/cluster/restartable.sh bash tools/dist_train.sh CONFIG NPROC --auto-resume
# For schedulers that start a pod again for exit codes of signals alone (restartPolicy: ExitCode of
# the Ascend Operator and of Kubeflow's PyTorchJob; 138 is 128 + SIGUSR1, which both call the user's).
# Signals go on to the command, which finishes its step and saves; other exit codes stay.
set -uo pipefail
SAVED=75 RETRYABLE=138

interrupted=''
# shellcheck disable=SC2329  # the traps call it
pass() {
    interrupted=1
    kill "-$1" "${child:-$!}" 2>/dev/null
}
# Set before the command starts: a signal would end this script alone.
trap 'pass TERM' TERM INT # bash lets a command in the background ignore INT
trap 'pass USR1' USR1
"$@" &
child=$!
code=0
wait "$child" || code=$?
# A signal ends the wait with a code above 128, while the command goes on.
while [ -n "$interrupted" ] && [ "$code" -gt 128 ]; do
    interrupted=''
    again=0
    wait "$child" || again=$?
    [ "$again" != 127 ] || break # the command had ended, by a signal too
    code=$again
done
[ "$code" != "$SAVED" ] || code=$RETRYABLE
exit "$code"
