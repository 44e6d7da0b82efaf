"""Administration of the site: stations, drones, landing points, emergency sites, airframes, photos; and the search."""
