"""Files in: an upload is described, mapped, planned and applied, and can be undone.

`flow` is the door for pages and the command line; `judge` alone decides what becomes of a row.
"""
