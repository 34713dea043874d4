"""The door for clients of the OpenAI API: `/v1/…`, a translation of the same `ask_stream` that `/ask` is made of."""
