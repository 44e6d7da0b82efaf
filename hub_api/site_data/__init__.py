"""The site as live data: stations, drones, landing points, emergency sites and airframes that change while the hub runs."""
