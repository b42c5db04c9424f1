"""Skip-gram with negative sampling: three steps that can be seen, and three engines.

`vocabulary` says which items get a vector, `pairs` who is whose context, `noise` where negatives
come from.  `train` then runs one of the engines over it: "torch" to be read, "fast" to be used,
"gensim" to be compared with.  Item2Vec and Node2Vec differ only in the sequences they bring.
"""

from companion.sgns.learning import Former, Learning, check_learning
from companion.sgns.noise import keep_probability, noise_distribution
from companion.sgns.objective import LossProbe, Objective, start_tables
from companion.sgns.pairs import (
    context_windows,
    epoch_order,
    expected_pairs,
    skip_gram_pairs,
    width_law,
)
from companion.sgns.train import EngineName, make_engine, train
from companion.sgns.vocabulary import Vocabulary, as_interactions, build_vocabulary

__all__ = [
    "EngineName",
    "Former",
    "Learning",
    "LossProbe",
    "Objective",
    "Vocabulary",
    "as_interactions",
    "build_vocabulary",
    "check_learning",
    "context_windows",
    "epoch_order",
    "expected_pairs",
    "keep_probability",
    "make_engine",
    "noise_distribution",
    "skip_gram_pairs",
    "start_tables",
    "train",
    "width_law",
]
