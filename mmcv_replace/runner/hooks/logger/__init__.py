"""Hooks that log the numbers of the log buffer."""
from ....utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.base': ['LoggerHook'],
    '.clearml': ['ClearMLLoggerHook'],
    '.dvclive': ['DvcliveLoggerHook'],
    '.mlflow': ['MlflowLoggerHook'],
    '.neptune': ['NeptuneLoggerHook'],
    '.pavi': ['PaviLoggerHook'],
    '.segmind': ['SegmindLoggerHook'],
    '.swanlab': ['SwanlabLoggerHook'],
    '.tensorboard': ['TensorboardLoggerHook'],
    '.text': ['TextLoggerHook'],
    '.wandb': ['WandbLoggerHook'],
})
