"""A sentence of an answer → the places in the documents that bear it out, checked. Pure."""
