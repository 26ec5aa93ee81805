"""Masks: how their files hold classes, what their labels mean, and what is wrong with them."""
