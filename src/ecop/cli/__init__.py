"""The command line, one verb a file. Nothing here imports JAX until a command has to compute."""
