"""Doors for other systems' formats: CAP 1.2 and NENA EIDO in, CAP 1.2 out."""
