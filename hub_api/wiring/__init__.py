"""The composition root: which parts make up a hub, one file for each kind, and the start that puts them together."""
