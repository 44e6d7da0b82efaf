"""Messages to people: short messages and video rooms, through ports, stored before they are sent."""
