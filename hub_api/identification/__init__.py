"""Network identification: every flying drone told to the authority, about every second, signed, none left out."""
