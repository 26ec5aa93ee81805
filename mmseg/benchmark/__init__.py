"""Measure this toolkit beside plain PyTorch and other toolkits, round by round.

Each subject is a process of its own (`subject`, `harness`), the rounds take turns (`rounds`), and
the result is a table or JSON (`report`). One file a subcommand of tools/benchmark.py holds what is
prepared for all subjects and what this toolkit does in a round.
"""
