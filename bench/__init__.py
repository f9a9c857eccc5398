"""What Punchcard costs and how fast it is: `make bench` (docs/performance.md)."""
