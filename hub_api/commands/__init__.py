"""The command line, ``drone-aed``: one file a command; each refuses bad input with one line and exit code 2."""
