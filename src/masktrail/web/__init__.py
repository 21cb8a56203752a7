"""A page on this computer to mark, track, correct and export; needs the extra `web`."""
