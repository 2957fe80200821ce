"""Work in the background: kinds of job bound to functions, the worker, what runs by the clock."""
