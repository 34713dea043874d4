"""Where the hub cannot be reached: model files that lie in wheels of a package index. Nobody else need read this."""
