# As schedule_160k.py over 320,000 iterations.
_base_ = './schedule_160k.py'
runner = dict(max_iters=320000)
