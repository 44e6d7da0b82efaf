"""Webhooks: signing secrets, what was not delivered, and sending it again."""
