"""Demo data: a sales team that sells scanners and warehouse software, with its customers."""
