"""Evaluation: predict, hand each prediction to sinks, compute scores; nothing is kept."""
from mmcv_replace.runner.hook import HOOKS
from mmcv_replace.utils.lazy_names import lazy_names

from .predict import predict  # a name that is a module too cannot be imported late

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.class_names': ['ade_classes', 'ade_palette', 'cityscapes_classes', 'cityscapes_palette',
                     'get_classes', 'get_palette', 'voc_classes', 'voc_palette'],
    '.collect': ['collect_results', 'gather_results', 'reduce_confusion'],
    '.confusion': ['ConfusionMatrix'],
    '.early_stopping': ['EarlyStoppingHook'],
    '.eval_hooks': ['DistEvalHook', 'EvalHook'],
    '.evidence': ['Evaluation', 'FixedPicture', 'SampleScore'],
    '.groups': ['check_groups', 'group_scores'],
    '.labels': ['remap_labels'],
    '.metrics': ['check_metrics', 'eval_metrics', 'intersect_and_union', 'mean_dice',
                 'mean_fscore', 'mean_iou', 'metrics_from_areas', 'metrics_from_confusion',
                 'pre_eval_to_metrics', 'summarize', 'total_intersect_and_union'],
    '.overrides': ['is_own', 'is_own_anywhere', 'labels_of', 'standard', 'takes'],
    '.predict': ['OnLogits', 'Prediction', 'ScoreKind', 'evaluating'],
    '.records': ['EvaluationRecord', 'read_evaluations'],
    '.scores': ['Score'],
    '.sinks': ['CollectSegMaps', 'ShowProgress', 'Sink', 'WriteOverlays', 'WriteSubmission',
               'relabel', 'run_sinks'],
    '.table': ['format_class_table', 'format_summary'],
    '.testing': ['evaluate_model', 'multi_gpu_test', 'run_test', 'single_gpu_test'],
    '.val_loss': ['ValidationLoss'],
})
__all__ += ['predict']

# Hooks that a config may name.
HOOKS.add_modules({f'{__name__}.early_stopping': ['EarlyStoppingHook']})
