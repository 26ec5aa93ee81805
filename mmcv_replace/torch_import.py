"""Imports torch without looking for garbage in it.

torch brings hundreds of thousands of objects that live as long as the process. A full garbage
collection walks through all of them, 0.2 s each time: while torch is imported, later, and once more
when the process ends. Set apart they are not looked at again, and workers that are forked share
their memory. Where torch has been imported before, everything is left as it is.
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
