"""`rapport version`."""

import argparse
import platform

import rapport


def run(_args: argparse.Namespace) -> None:
    """Print which Rapport and which Python this is."""
    print(f"rapport {rapport.__version__} (Python {platform.python_version()})")
