"""What processes that multiprocessing starts find under the name mmcv; see `alias.py`."""
