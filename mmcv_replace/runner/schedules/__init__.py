"""Schedules of the learning rate and the momentum.

A new one is a function in policies.py and a row in table.py: hooks/policy_hook.py makes its hooks.
"""
