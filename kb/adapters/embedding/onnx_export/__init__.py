"""An embedding model, converted for the processor: the network written as an ONNX graph. Run as a child process."""
