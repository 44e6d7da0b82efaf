"""Messages to people: what was sent, what was not, and sending again."""
