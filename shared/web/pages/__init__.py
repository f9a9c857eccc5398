"""What the pages of portal and console share: parts of their models, frame, macros, stylesheet."""
