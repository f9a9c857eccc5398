"""Punchcard in a real browser: Debian's Chromium without a window, on loopback alone."""
