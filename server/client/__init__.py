"""The service as a command sees it: a running server, or this process."""
