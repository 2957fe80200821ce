"""Figures: how quick Rapport is, beside what the machine can do at all."""
