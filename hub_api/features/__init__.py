"""One folder a feature of the HTTP API: its routes and its schemas."""
