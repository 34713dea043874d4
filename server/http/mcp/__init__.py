"""The door for agents: the knowledge base as tools of the Model Context Protocol, over HTTP and over pipes.

Imported when it is needed: the SDK takes half a second.
"""
