"""A changed configuration taken up while the station works, part by part."""
