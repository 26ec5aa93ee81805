"""test/cluster/*.yaml: what their commands do under the variables of their operators, and 75."""
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SAVED, CRASHED, WRONG_CONFIG, KILLED = 75, 1, 2, 137


@pytest.fixture(scope='module')
def acjob():
    return yaml.safe_load((ROOT / 'test/cluster/acjob.yaml').read_text())['spec']


@pytest.fixture(scope='module')
def trainjob():
    """The specs of the runtime and of the job."""
    return [one['spec'] for one in
            yaml.safe_load_all((ROOT / 'test/cluster/trainjob.yaml').read_text())]


def acjob_pods(spec):
    """The container of each pod with the variables that the operator sets (setPytorchEnv)."""
    pods = [(kind, replica['template']['spec']['containers'][0])
            for kind, replica in spec['replicaSpecs'].items() for _ in range(replica['replicas'])]
    pods.sort(key=lambda pod: pod[0] != 'Master')
    devices = [pod['resources']['requests']['huawei.com/Ascend910'] for _, pod in pods]
    return [(pod, dict(
        MASTER_ADDR='10.0.0.1', MASTER_PORT=str(pod['ports'][0]['containerPort']), RANK=str(rank),
        WORLD_SIZE=str(sum(devices)), LOCAL_WORLD_SIZE=str(devices[rank]),
        LOCAL_RANK=','.join(map(str, range(devices[rank]))))) for rank, (_, pod) in enumerate(pods)]


def trainjob_pods(specs):
    """The same of the plug-in torch: numbers of the job before those of the runtime."""
    trainer = specs[1]['trainer']
    return [(trainer, dict(
        PET_NNODES=str(trainer['numNodes']), PET_NPROC_PER_NODE='auto', PET_NODE_RANK=str(rank),
        PET_MASTER_ADDR='mmseg-node-0-0.mmseg', PET_MASTER_PORT='29400'))
        for rank in range(trainer['numNodes'])]


def replay(container, environ, *options):
    """Run a container's command here, in the folder of this checkout."""
    given = {entry['name']: entry['value'] for entry in container['env']}
    return subprocess.run([*container['command'], *options], cwd=ROOT, capture_output=True,
                          text=True, env={'PATH': os.environ['PATH'], 'HOME': '/nonexistent',
                                          'PYTHON': sys.executable, **given, **environ})


def job_of(done):
    assert done.returncode == 0, done.stderr
    words = shlex.split(done.stdout.splitlines()[-1])
    return dict(zip(words[2:-1], words[3:], strict=True)), words


@pytest.mark.parametrize('rank', [0, 1])
def test_the_command_of_each_pod(acjob, trainjob, rank):
    for pods, addr, port in ((acjob_pods(acjob), '10.0.0.1', '2222'),
                             (trainjob_pods(trainjob), 'mmseg-node-0-0.mmseg', '29400')):
        assert len(pods) == 2
        options, words = job_of(replay(*pods[rank], '--dry-run'))
        assert [options[f'--{name}'] for name in (
            'nproc_per_node', 'nnodes', 'node_rank', 'master_addr', 'master_port')] == [
            '8', '2', str(rank), addr, port]
        # What saves has to be found by the next start, on whichever node.
        assert '--auto-resume' in words
        mounts = [mount['mountPath'] for mount in pods[rank][0].get('volumeMounts', [])] or [
            mount['mountPath'] for mount in runtime_pod(trainjob)['containers'][0]['volumeMounts']]
        folders = [word.split('=')[1] for word in words
                   if re.match('--(work-dir|data-root)=', word)]
        assert len(folders) == 2
        assert all(any(Path(folder).is_relative_to(mount) for mount in mounts)
                   for folder in folders)


@pytest.mark.parametrize('words', [['configs/'], ['tools/dist_train.sh', 'test/cluster/']])
def test_what_the_commands_name_is_here(acjob, trainjob, words):
    for container, _ in (*acjob_pods(acjob), *trainjob_pods(trainjob)):
        found = [word for word in container['command'] if word.startswith(tuple(words))]
        assert found
        assert all((ROOT / word).is_file() for word in found)


def runtime_pod(specs):
    return specs[0]['template']['spec']['replicatedJobs'][0]['template']['spec']['template']['spec']


def test_a_save_has_time(acjob, trainjob):
    """torchrun waits longer than by default, and Kubernetes longer than torchrun."""
    pods = [(replica['template']['spec'], replica['template']['spec']['containers'][0]['env'])
            for replica in acjob['replicaSpecs'].values()]
    for pod, environ in (*pods, (runtime_pod(trainjob), trainjob[1]['trainer']['env'])):
        wait, = (int(entry['value']) for entry in environ
                 if entry['name'] == 'PET_SHUTDOWN_TIMEOUT')
        assert 30 < wait < pod['terminationGracePeriodSeconds']


# --- the Ascend Operator -------------------------------------------------------------------------

def ascend_restarts(policy, code):
    """Whether the operator makes a pod again (reconcilePod with kubeflow/common's train_util)."""
    return policy == 'ExitCode' and code in (130, 137, 138, 143)


@pytest.mark.parametrize(('code', 'restarts'), [(SAVED, True), (CRASHED, False),
                                                (WRONG_CONFIG, False), (KILLED, True)])
def test_what_the_ascend_operator_makes_of_exit_codes(acjob, code, restarts):
    for replica in acjob['replicaSpecs'].values():
        container = replica['template']['spec']['containers'][0]
        tool = container['command'].index('tools/dist_train.sh')
        wrapped = [*container['command'][:tool], '-c', f'exit {code}']
        left = subprocess.run(wrapped, cwd=ROOT).returncode
        assert ascend_restarts(replica['restartPolicy'], left) is restarts


def test_the_ascend_operators_own_rules(acjob):
    """It refuses another number of masters, and looks for the container and its port by name."""
    assert list(acjob['replicaSpecs']) == ['Master', 'Worker']
    assert acjob['replicaSpecs']['Master']['replicas'] == 1
    assert acjob['runPolicy']['schedulingPolicy']['minAvailable'] == len(acjob_pods(acjob))
    assert acjob['runPolicy']['backoffLimit'] > 0
    for container, _ in acjob_pods(acjob):
        assert container['name'] == 'ascend'
        assert container['ports'][0]['name'] == 'ascendjob-port'
        assert container['resources']['requests'] == container['resources']['limits']


# --- Kubeflow Trainer: a JobSet of one indexed Job -----------------------------------------------

def job_reason(job, code, disrupted):
    """Why a Job fails after a pod did, None where it goes on (batch/v1, podFailurePolicy)."""
    for rule in job['podFailurePolicy']['rules']:
        exits, conditions = rule.get('onExitCodes'), rule.get('onPodConditions', [])
        fits = disrupted and any(one == {'type': 'DisruptionTarget', 'status': 'True'}
                                 for one in conditions)
        if exits and exits['containerName'] == 'node':
            fits = (code in exits['values']) == (exits['operator'] == 'In')
        if fits:
            return {'FailJob': 'PodFailurePolicy', 'Ignore': None, 'Count': (
                'BackoffLimitExceeded' if job['backoffLimit'] == 0 else None)}[rule['action']]
    return 'BackoffLimitExceeded' if job['backoffLimit'] == 0 else None


def jobset_action(policy, reason):
    for rule in policy['rules']:
        if reason in rule['onJobFailureReasons']:
            return rule['action']
    return 'RestartJobSet' if policy['maxRestarts'] > 0 else 'FailJobSet'


@pytest.mark.parametrize(('code', 'disrupted', 'action'), [
    (SAVED, False, 'RestartJobSet'), (CRASHED, False, 'FailJobSet'),
    (WRONG_CONFIG, False, 'FailJobSet'), (KILLED, False, 'FailJobSet'),
    (SAVED, True, 'RestartJobSet'), (143, True, 'RestartJobSet')])
def test_what_kubeflow_makes_of_exit_codes(trainjob, code, disrupted, action):
    jobset = trainjob[0]['template']['spec']
    job = jobset['replicatedJobs'][0]['template']['spec']
    assert jobset_action(jobset['failurePolicy'], job_reason(job, code, disrupted)) == action
    # Required by a podFailurePolicy.
    assert job['template']['spec']['restartPolicy'] == 'Never'


def test_kubeflows_own_rules(trainjob):
    runtime, job = trainjob
    replicated, = runtime['template']['spec']['replicatedJobs']
    assert replicated['name'] == 'node'
    assert replicated['template']['metadata']['labels'] == {
        'trainer.kubeflow.org/trainjob-ancestor-step': 'trainer'}
    assert [one['name'] for one in runtime_pod(trainjob)['containers']] == ['node']
    assert job['runtimeRef'] == dict(apiGroup='trainer.kubeflow.org', kind='TrainingRuntime',
                                     name='mmseg')
    assert 'torch' in runtime['mlPolicy']
