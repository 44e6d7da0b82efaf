"""Functions that read and write rows inside a unit of work, and hand out records."""
