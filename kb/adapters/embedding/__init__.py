"""Embedding models: in torch through sentence-transformers, or in 8 bit through ONNX Runtime."""
