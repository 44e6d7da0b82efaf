"""What the operators' console has to know before it shows anything."""
