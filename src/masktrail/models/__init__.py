"""Parts that the networks of several families are made of, and what makes them quicker."""
