"""What every process of the cluster must agree on: settings, errors, how to reach Ray, the store.

Nothing enters this package because it is handy; it enters because two processes would otherwise disagree.
It imports none of `serve_apps`, `batch`, `api`.
"""
