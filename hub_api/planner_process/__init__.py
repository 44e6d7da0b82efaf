"""The planner in a process of its own: decisions are computed there while the hub stores and speaks."""
