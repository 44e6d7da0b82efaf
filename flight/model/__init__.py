"""Pure decisions: phases, failsafe, preflight. No clock, no I/O."""
