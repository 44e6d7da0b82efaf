"""Changing the airspace while the hub runs: zone feeds and authorisations."""
