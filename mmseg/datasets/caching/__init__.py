"""Samples that are decoded once: kept in memory that workers share, or in files."""
