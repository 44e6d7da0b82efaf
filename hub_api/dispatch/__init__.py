"""The order service: receives, decides, stores, sends, follows."""
