"""What a document says as a whole: which one is meant, read section by section, put together."""
