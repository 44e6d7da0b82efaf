"""The hub: takes orders from emergency centres, decides, sends drones, and says what happens."""
