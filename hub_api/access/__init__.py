"""Who may do what: scopes, roles, tokens, accounts, keys, rate limits."""
