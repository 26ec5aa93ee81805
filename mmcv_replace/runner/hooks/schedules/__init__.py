"""Schedules of the learning rate and the momentum."""
