"""What is stored and found: LanceDB tables, one file for each noun.

Nothing in here computes over a whole library (`batch`), talks HTTP (`api`), or imports ray, litestar or torch.
Each process opens the databases it needs itself; an open table never travels through pickle.
"""
