"""Brightroom beside the bare work: each figure is a ratio of two ways to do the same, measured in one run."""
