"""What the ports are made of: llama.cpp, embedding models, cross-encoders, Chroma. None knows another."""
