"""Whether a training starts or resumes, and from which checkpoint."""
import os
import uuid
from pathlib import Path
from typing import Any

from mmcv_replace.runner.checkpoint import read_meta
from mmcv_replace.runner.checkpoints import auto_resume
from mmcv_replace.runner.checkpoints.files import point_latest_at
from mmcv_replace.runner.dist_utils import any_rank
from mmcv_replace.runner.heartbeat import run_on_first_rank
from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import CheckpointError
from mmseg.utils import get_root_logger


def choose_start(cfg: Config) -> dict[str, str]:
    """Set `cfg.resume_from` for a job with `auto_resume`, or restarted by its launcher.

    It becomes the newest intact checkpoint of the run in the work directory; the user's own
    `resume_from` counts only while the run has written none. Without `auto_resume`, `resume_from`
    starts a new run: later checkpoints in the same folder belong to another one. A missing seed is
    taken from the checkpoint. Returns what identifies the run in the meta data of checkpoints.
    """
    # On several machines torchrun counts the restarts of each machine separately.
    automatic = any_rank(bool(cfg.get('auto_resume')) or auto_resume.was_restarted())
    cfg.resume_from, known = run_on_first_rank(
        lambda: _choose(cfg, automatic), 'the choice of a checkpoint', CheckpointError)
    if cfg.get('seed') is None:
        cfg.seed = known.get('seed')
    return {key: known[key] for key in ('run_id',) if key in known}


def _choose(cfg: Config, automatic: bool) -> tuple[str | None, dict[str, Any]]:
    """The checkpoint to resume from (None: start), and the run_id and seed to continue with."""
    resume_from = cfg.get('resume_from')
    if automatic:
        resume_from, run_id = _go_on(cfg)
        if run_id is not None:
            return resume_from, {**_known_of(resume_from), 'run_id': run_id}
    known = {} if resume_from is None else _known_of(resume_from)
    known['run_id'] = uuid.uuid4().hex
    auto_resume.set_current_run(cfg.work_dir, known['run_id'], _absolute(resume_from))
    return resume_from, known


def _go_on(cfg: Config) -> tuple[str | None, str | None]:
    """The checkpoint to resume from, and the identity of its run; None for a new run."""
    logger = get_root_logger()
    # checkpoint_config is None for a run without regular checkpoints.
    folder = (cfg.get('checkpoint_config') or {}).get('out_dir') or cfg.work_dir
    run_id, origin = auto_resume.current_run(cfg.work_dir)
    newest = None
    if Path(folder).is_dir():
        newest = auto_resume.newest_checkpoint(folder, logger, run_id)
    if newest is not None:
        _repair_latest(newest, cfg)
        logger.info('auto-resume: the run goes on from %s', newest)
        return str(newest), run_id or _known_of(newest).get('run_id')
    began = cfg.get('resume_from') or origin
    if began is None:
        logger.info('auto-resume: no checkpoint of this run in %s, it starts anew', folder)
        return None, None
    logger.info('auto-resume: the run goes on from %s', began)
    return began, run_id if _absolute(began) == origin else None


def _absolute(checkpoint: str | None) -> str | None:
    """The absolute path of a file; anything else, such as a URL, unchanged."""
    is_file = checkpoint is not None and os.path.isfile(checkpoint)
    return os.path.abspath(checkpoint) if is_file else checkpoint


def _repair_latest(newest: Path, cfg: Config) -> None:
    """Point latest.pth at the newest checkpoint, if the run was killed before it did so."""
    latest = newest.with_name('latest.pth')
    wanted = (cfg.get('checkpoint_config') or {}).get('create_symlink', True)
    if not wanted or newest.name.startswith('best_') or latest.resolve() == newest.resolve():
        return
    try:
        point_latest_at(newest)
    except OSError as error:
        get_root_logger().warning('cannot make %s mean %s: %s', latest, newest.name, error)


def _known_of(checkpoint: str | Path) -> dict[str, Any]:
    """`seed` and `run_id` in the meta data of a checkpoint, if present."""
    try:
        meta = read_meta(checkpoint).get('meta')
    except CheckpointError:  # loading it later raises an error, unless it is a URL
        return {}
    types = {'run_id': str, 'seed': int}
    return {key: meta[key] for key, kind in types.items()
            if isinstance(meta, dict) and isinstance(meta.get(key), kind)}
