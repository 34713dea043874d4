"""Documents → chunks. Pure."""
