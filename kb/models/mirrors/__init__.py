"""Where the hub cannot be reached: model files that others put into wheels of a package index.

The catalog of models names them, and `kb.models.sentence_folder` unpacks one; nobody else knows of them.
"""
