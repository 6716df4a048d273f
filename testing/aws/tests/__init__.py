"""Tests of the emulator, the judge and the linter. Run from testing/aws: python -m unittest."""
