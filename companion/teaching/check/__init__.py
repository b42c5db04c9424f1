"""Checkers of the book's exercises: ``check.ex_1_3(answer)`` passes an answer or gives a hint.

>>> from companion.teaching import check
>>> check.ex_1_1(lambda n_users, n_items, items_per_user: 100 * items_per_user / n_items)
Not yet. That is a percentage. Return a share between 0 and 1.
"""

from companion.teaching.check.chapter_01 import (
    ex_1_1,
    ex_1_2,
    ex_1_3,
    ex_1_4,
    ex_1_5,
    ex_1_6,
    ex_1_7,
)
from companion.teaching.check.chapter_02 import (
    ex_2_1,
    ex_2_2,
    ex_2_3,
    ex_2_4,
    ex_2_5,
    ex_2_6,
    ex_2_7,
)
from companion.teaching.check.chapter_03 import (
    ex_3_1,
    ex_3_2,
    ex_3_3,
    ex_3_4,
    ex_3_5,
    ex_3_6,
    ex_3_7,
)
from companion.teaching.check.verdict import Verdict

__all__ = [
    "Verdict",
    "ex_1_1",
    "ex_1_2",
    "ex_1_3",
    "ex_1_4",
    "ex_1_5",
    "ex_1_6",
    "ex_1_7",
    "ex_2_1",
    "ex_2_2",
    "ex_2_3",
    "ex_2_4",
    "ex_2_5",
    "ex_2_6",
    "ex_2_7",
    "ex_3_1",
    "ex_3_2",
    "ex_3_3",
    "ex_3_4",
    "ex_3_5",
    "ex_3_6",
    "ex_3_7",
]
