"""Table of the learning-rate policies: options, and the value that they give.

The value is that of an iteration, from 0, in a run of 20: (base value, iteration) -> learning rate.
"""
from mmcv_replace.runner.schedules import policies

BY_ITER = {
    'Fixed': ({}, lambda base, i: base),
    'Step': ({'step': [3, 7], 'gamma': 0.5, 'min_lr': 0.04},
             lambda base, i: policies.step(base, i, [3, 7], 0.5, 0.04)),
    'Exp': ({'gamma': 0.9}, lambda base, i: policies.exponential(base, i, 0.9)),
    'Poly': ({'power': 0.9, 'min_lr': 1e-3},
             lambda base, i: policies.poly(base, i, 20, 0.9, 1e-3)),
    'Inv': ({'gamma': 0.1, 'power': 2}, lambda base, i: policies.inverse(base, i, 0.1, 2)),
    'CosineAnnealing': ({'min_lr_ratio': 0.1},
                        lambda base, i: policies.cosine(base, i, 20, 0.1 * base)),
    'LinearAnnealing': ({'min_lr': 0.01}, lambda base, i: base + (0.01 - base) * i / 20),
    'FlatCosineAnnealing': ({'min_lr': 0.01, 'start_percent': 0.4},
                            lambda base, i: policies.flat_cosine(base, i, 20, 0.4, minimum=0.01)),
    'CosineRestart': ({'periods': [10, 10], 'restart_weights': [1, 0.5], 'min_lr': 0},
                      lambda base, i: policies.cosine_restart(base, i, [10, 10], [1, 0.5],
                                                              minimum=0)),
    'Cyclic': ({'target_ratio': (5, 0.1), 'cyclic_times': 2, 'step_ratio_up': 0.3},
               lambda base, i: policies.cyclic(base, i, 20, (5, 0.1), 2, 0.3)),
    'OneCycle': ({'max_lr': [1.0, 2.0], 'pct_start': 0.4, 'div_factor': 10, 'final_div_factor': 5,
                  'anneal_strategy': 'linear', 'three_phase': True},
                 lambda base, i: policies.one_cycle(
                     i, 20, 0.4, (base, 10 * base, base / 5), 'linear', True)),
}
