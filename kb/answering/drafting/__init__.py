"""An answer as it comes into being: written, cited, judged, and held against other documents."""
