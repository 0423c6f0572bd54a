"""Running it over history."""
