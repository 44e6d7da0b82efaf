"""Access: tokens for machines and people, accounts, keys."""
