"""Models, the media child, and hosting them on Ray Serve. Knows no library and no user."""
