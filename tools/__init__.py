"""What `make` runs: building the book, running the notebooks, and the stages of the tests."""
