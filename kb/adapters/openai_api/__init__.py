"""A language model on a server that speaks the OpenAI protocol, or Ollama's own."""
