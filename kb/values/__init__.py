"""Values that travel between the rooms: frozen, no behaviour beyond themselves."""
