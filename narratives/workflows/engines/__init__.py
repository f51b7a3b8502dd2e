"""Where the work on single files, documents and texts is done: in this process, or by the workers of a Ray cluster."""
