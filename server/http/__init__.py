"""HTTP: the app, its guard, its routes and what travels over them."""
