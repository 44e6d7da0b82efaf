"""Messages of other systems at the edge: each is read into the report that the API takes, or refused with its reason."""
