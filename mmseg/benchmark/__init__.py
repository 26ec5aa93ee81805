"""Measure this toolkit beside plain PyTorch and other toolkits, round by round.

Each subject is a process (`subject`, `harness`), their rounds alternate (`run`), the result is a
table or JSON (`report`). Each subcommand is a file: its inputs, and this toolkit's work in a round.
"""
