"""ML model files: what each would do when it is loaded. Nothing here loads, unpickles, imports or runs any of it."""
