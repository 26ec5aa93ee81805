"""An optimizer constructor."""
from mmcv.runner import OPTIMIZER_BUILDERS, OPTIMIZERS, DefaultOptimizerConstructor
from mmcv.utils import build_from_cfg


@OPTIMIZER_BUILDERS.register_module()
class NoDecayConstructor(DefaultOptimizerConstructor):
    """No weight decay for vectors; the decode head learns faster."""

    def __call__(self, model):
        if hasattr(model, 'module'):
            model = model.module
        optimizer_cfg = self.optimizer_cfg.copy()
        decay = optimizer_cfg.get('weight_decay', 0)
        head_mult = self.paramwise_cfg.get('head_mult', 1.)
        params = []
        for name, param in model.named_parameters():
            if not param.requires_grad:
                continue
            lr = self.base_lr * (head_mult if name.startswith('decode_head') else 1)
            params.append(dict(params=[param], lr=lr, weight_decay=decay * (param.ndim > 1)))
        optimizer_cfg['params'] = params
        return build_from_cfg(optimizer_cfg, OPTIMIZERS)
