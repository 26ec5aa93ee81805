"""Evaluation: predict, hand each prediction to sinks, compute scores; nothing is kept."""
from .class_names import get_classes, get_palette
from .collect import collect_results, gather_results, reduce_confusion
from .confusion import ConfusionMatrix
from .eval_hooks import DistEvalHook, EvalHook
from .labels import remap_labels
from .metrics import (
    check_metrics,
    eval_metrics,
    intersect_and_union,
    mean_dice,
    mean_fscore,
    mean_iou,
    metrics_from_areas,
    metrics_from_confusion,
    summarize,
)
from .overrides import labels_of, standard, takes, wants_predictions
from .predict import Prediction, ScoreKind, evaluating, predict
from .scores import Score
from .sinks import (
    CollectSegMaps,
    ShowProgress,
    Sink,
    WriteOverlays,
    WriteSubmission,
    relabel,
    run_sinks,
)
from .table import format_class_table, format_summary
from .testing import evaluate_model, multi_gpu_test, run_test, single_gpu_test

__all__ = [
    'CollectSegMaps', 'ConfusionMatrix', 'DistEvalHook', 'EvalHook', 'Prediction', 'Score',
    'ScoreKind', 'ShowProgress', 'Sink', 'WriteOverlays', 'WriteSubmission', 'check_metrics',
    'collect_results', 'eval_metrics', 'evaluate_model', 'evaluating', 'format_class_table',
    'format_summary', 'gather_results', 'get_classes', 'get_palette', 'intersect_and_union',
    'labels_of', 'mean_dice', 'mean_fscore', 'mean_iou', 'metrics_from_areas',
    'metrics_from_confusion', 'multi_gpu_test', 'predict', 'reduce_confusion', 'relabel',
    'remap_labels', 'run_sinks', 'run_test', 'single_gpu_test', 'standard', 'summarize', 'takes',
    'wants_predictions',
]
