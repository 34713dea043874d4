"""From a change in a folder to the index: queue, reading ahead, indexing, reconciling."""
