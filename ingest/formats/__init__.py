"""File formats: bytes → documents. One module a format; `registry` knows them all."""
