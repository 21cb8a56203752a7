"""Many videos: a list of them in, a folder of results for each out."""
