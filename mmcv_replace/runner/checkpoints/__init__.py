"""What stands in checkpoint files of any origin, and what a file is that is none."""
