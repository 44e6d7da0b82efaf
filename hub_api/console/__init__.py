"""The operators' console: its sources (TypeScript, ``src/``), its build, and the routes that serve it."""
