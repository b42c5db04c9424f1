"""Embeddings for recommender systems: the package behind the book.

Every method takes `companion.interactions.Interactions` and ends in
`companion.embeddings.Embeddings`; everything after that point knows nothing of how they
were learned.  Import what you need from its module: this file imports nothing, so that
``import companion`` costs next to no time and never loads torch, faiss, gensim or matplotlib.
"""

__version__ = "0.1.0"
