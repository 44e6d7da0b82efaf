"""The audit log: who changed what, and whether the log itself is whole."""
