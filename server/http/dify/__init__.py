"""The door for Dify: an external knowledge base, as its retrieval calls one."""
