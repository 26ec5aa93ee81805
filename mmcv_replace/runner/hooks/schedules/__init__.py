"""Schedules of the learning rate and the momentum.

A new one is a function in policies.py and a row in table.py: `policy_hook` makes its hooks.
"""
from .policy_hook import policy_hook, policy_hooks
from .schedule_hook import ScheduleHook
from .table import POLICIES, Policy

__all__ = ['POLICIES', 'Policy', 'ScheduleHook', 'policy_hook', 'policy_hooks']
