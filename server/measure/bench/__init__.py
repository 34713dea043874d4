"""Speed and size on this machine."""
