"""Classes of words by frequency, for the class-factorised softmax P(w) = P(class) P(w | class).

Mikolov et al., "Extensions of recurrent neural network language model" (ICASSP 2011), section 3; specification,
section 3: 30 classes of about 1/30 of the training tokens each.

Shape letters: D width of the data.
"""

import numpy as np


def assign_classes(frequency_D: np.ndarray, n_classes: int) -> np.ndarray:
    """The class of every word: words sorted by falling count, cut into classes with about equal numbers of tokens.

    Words are sorted by falling count, ties by number. Let m be the count of all words not yet in a class. Class
    k = 0, 1, ..., K-1 takes the next n >= 1 words for which

        | their count  -  m / (K - k) |

    is smallest (the smallest n in a tie); the last class takes the rest. Since the counts fall, this always leaves a
    word for each later class. A word with more than 1/K of the tokens gets a class of its own, and the other classes
    share the rest equally. Mikolov's program cuts at k/K of the cumulated share instead. There the words after a
    frequent one each get a class of their own until k has caught up.

    Args:
        frequency_D: counts or shares of the D words in the training split, not negative.
        n_classes: K, from 1; with fewer words than classes every word is a class.

    Returns:
        int64 (D,), from 0 to min(K, D) - 1; 0 for the most frequent words.

    Raises:
        ValueError: there is no word, a frequency is negative or NaN, or `n_classes` is under 1.

    >>> assign_classes(np.array([1, 6, 2, 2, 1]), 2).tolist()
    [1, 0, 1, 1, 1]
    """
    if frequency_D.ndim != 1 or not len(frequency_D) or not frequency_D.min() >= 0 or n_classes < 1:
        raise ValueError("classes of words: wants the frequencies of at least one word, none negative, and a class")
    exact_D = frequency_D.astype(np.float64 if frequency_D.dtype.kind == "f" else np.int64)
    order = np.argsort(-exact_D, kind="stable")
    cumulated = np.concatenate([[0], np.cumsum(exact_D[order])])
    classes = min(n_classes, len(order))
    class_of_rank = np.empty(len(order), np.int64)
    start = 0
    for number in range(classes):
        left = classes - number
        share = (cumulated[-1] - cumulated[start]) / left
        ends = np.arange(start + 1, len(order) + 1)
        masses = cumulated[ends] - cumulated[start]
        end = len(order) if left == 1 else int(ends[np.argmin(np.abs(masses - share))])
        class_of_rank[start:end] = number
        start = end
    class_of_word = np.empty_like(class_of_rank)
    class_of_word[order] = class_of_rank
    return class_of_word
