# As schedule_20k.py over 80,000 iterations.
_base_ = './schedule_20k.py'
runner = dict(max_iters=80000)
checkpoint_config = dict(interval=8000)
evaluation = dict(interval=8000)
