"""Measurements, and the peers they are compared with: ``python -m bench``. Nothing here is asserted in
tests."""
