"""Import torch and exempt its objects from garbage collection.

torch creates hundreds of thousands of objects that live as long as the process. A full collection
visits all of them in 0.2 s: during the import, later, and when the process ends. Frozen objects are
skipped, and forked workers share their memory. Nothing happens where torch is imported already.
"""
import gc
import sys

if 'torch' not in sys.modules:
    collecting = gc.isenabled()
    gc.disable()
    try:
        import torch  # noqa: F401
        gc.freeze()
    finally:
        if collecting:
            gc.enable()
