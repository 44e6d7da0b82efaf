"""Where a drone may be: zones in space and time, read from published formats, asked exactly."""
