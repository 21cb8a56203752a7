"""Dreams of an annotated picture: what else its video may show, with exact masks and flow."""
