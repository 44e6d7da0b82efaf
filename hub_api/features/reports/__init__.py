"""Reports: how many alerts flew and why the others did not, and how long everything took."""
