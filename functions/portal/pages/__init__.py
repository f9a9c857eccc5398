"""What the portal answers: one model per route, and the page of the same name."""
