"""What the console answers: one model per route, and the page of the same name."""
