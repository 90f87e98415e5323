"""Studies of the method: questions as TOML files, runs that are kept one by one, reports that say what holds."""
