"""Passes over a whole library: what a scan lists, groups, computes and commits, and the jobs that run it."""
