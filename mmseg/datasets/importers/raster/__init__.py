"""Outlines and packed masks as bool arrays [H, W], by the rules of the tools that write them."""
